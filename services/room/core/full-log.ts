// Full log: the answer to a batch while the log has no room for a claim (P9).

import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { Epoch } from "#shared/protocol/ids.ts";
import type { Effect } from "./partition-io.ts";
import { FULL_RETRY_MS } from "./partition-state.ts";

/** None of the commands is stored. */
export function busyReply(
  { gw: gateway, commands, unknown = [] }: CommandBatch,
  epoch: Epoch,
): Effect {
  const afterMs = FULL_RETRY_MS;
  const results = [
    ...commands.map(({ c }) => ({ result: { c, error: "busy", afterMs } as const })),
    ...unknown.map((c) => ({ result: { c, error: "unknown_type" } as const })), // N6
  ];
  return { kind: "reply", gateway, epoch, results };
}
