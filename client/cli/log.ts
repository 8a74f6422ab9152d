// Log: `parley log <partition>` prints the entries of a partition log, as its readers interpret
// them.

import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { logsOf, partitionsOf } from "#shared/adapters/nats-restore.ts";
import { createLogger } from "#shared/process/logger.ts";
import { decodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { CliError } from "./cli-error.ts";
import type { Output } from "./output.ts";
import { entryLines } from "./print.ts";

/**
 * Resolves when the present last entry is printed; with `follow`, on Ctrl-C. Rejects with CliError
 * for a partition that does not exist or whose log does not answer.
 */
export async function showLog(
  nats: NatsAccess,
  partition: Partition,
  from: LogSeq,
  { follow, out }: { readonly follow: boolean; readonly out: Output },
): Promise<void> {
  const logger = createLogger({ name: "parley-cli", level: "fatal" });
  const bus = await openNatsBus({ ...nats, name: "parley-cli", inboxPrefix: "_INBOX_cli", logger });
  try {
    const first = await partitionsOf(bus.connection);
    const partitions = first === undefined ? undefined : await logsOf(bus.connection, first);
    if (partitions !== undefined && partition >= partitions) {
      const which = partitions === 1 ? "only partition 0" : `partitions 0 to ${partitions - 1}`;
      throw new CliError(`partition ${partition} does not exist: the cluster has ${which}`);
    }
    const log = openNatsLog(bus);
    const state = await log.last(partition);
    if (state.kind === "unknown") {
      throw new CliError(
        `the log of partition ${partition} does not answer (${state.reason}): see parley doctor`,
      );
    }
    const { last } = state;
    const done = Promise.withResolvers<void>();
    // A commit is void or not only relative to the claim of its tenure. Before the first claim that
    // is read, the commit's own epoch counts as the current one.
    let epoch: number | undefined;
    const reader = log.read(partition, Math.max(1, from), {
      onEntry: (seq, data) => {
        const entry = decodeEntry(new TextDecoder().decode(data));
        if (epoch === undefined && entry.kind === "commit") epoch = entry.epoch;
        const isOutdated = isVoid(epoch ?? 0, entry);
        const lines = entryLines(seq, entry, isOutdated);
        out.print({ seq, void: isOutdated, ...entry }, ...lines);
        epoch = epochAfter(epoch ?? 0, seq, entry);
        if (seq >= last && !follow) done.resolve();
      },
      onError: (reason) => done.reject(new Error(reason)),
    });
    process.once("SIGINT", () => done.resolve());
    if (last < from && !follow) done.resolve();
    await done.promise;
    reader.close();
  } finally {
    await bus.close();
  }
}
