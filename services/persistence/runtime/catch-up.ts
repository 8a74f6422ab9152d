// CatchUp: the last thing before a persistence process leaves: the archive reaches what the logs hold now.
//
// Owns: the wait. Does not own: the archiving, which goes on meanwhile.
//
//   catch-up.1. It waits for what stood in the logs when it began, not for what comes meanwhile, and at most
//        CATCH_UP_MS: whatever is left is the next worker's.
// In a cluster that is stopped in order (room nodes first) the logs then end with archived releases: the
// archive is settled, and a loss of the logs would be no loss (R2).

import type { Clock } from "#shared/ports/clock.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";

/** A batch waits a quarter of a second for company; a slow store has a few of them. */
export const CATCH_UP_MS = 10_000;
const LOOK_MS = 50;

export interface CatchUpPorts {
  readonly log: Pick<PartitionLog, "last">;
  readonly clock: Clock;
  /** The partitions that are archived here, with their watermarks. */
  readonly assigned: () => Iterable<readonly [Partition, LogSeq]>;
}

/** Resolves, never rejects. */
export async function catchUp({ log, clock, assigned }: CatchUpPorts): Promise<void> {
  const until = clock.monotonic() + CATCH_UP_MS;
  const targets = new Map<Partition, LogSeq>();
  await Promise.all(
    Array.from(assigned(), async ([p]) => {
      const outcome = await log.last(p);
      if (outcome.kind === "ok") targets.set(p, outcome.last);
    }),
  );
  const isBehind = (): boolean =>
    Array.from(assigned()).some(([p, seq]) => seq < (targets.get(p) ?? 0));
  while (isBehind() && clock.monotonic() < until) {
    await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
  }
}
