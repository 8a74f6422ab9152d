// CatchUp: the last step before a persistence process stops: it waits until the archive has what
// the logs hold.
//
// Owns: the wait. Does not own: the archiving, which continues meanwhile.
//
//   catch-up.1. It waits for the entries that were in the logs when it began, not for later ones,
//        and at most CATCH_UP_MS. The next runner archives the rest.
// When a cluster stops in order (room nodes first), the logs end with archived releases: the
// archive is settled, and a loss of the logs would lose nothing (R2).

import type { Clock } from "#shared/ports/clock.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";

/** A batch lingers for a quarter of a second; a slow store has several batches. */
export const CATCH_UP_MS = 10_000;
const LOOK_MS = 50;

export interface CatchUpPorts {
  readonly log: Pick<PartitionLog, "last">;
  readonly clock: Clock;
  /** The partitions archived by this process, with their watermarks. */
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
