// RegionTurn: which partitions a process may archive and serve where regions share terms, and the
// end of the process when the one term of its region is over.
//
// With one term, PostgreSQL is a standby that refuses writes until the region serves, and
// afterwards it may be one again. A process that has read a watermark before must not continue with
// it. Where both regions serve, each has an archive of its own that is always writable, and a
// partition's runner ends with the term of its home (persistence-node.4).
//
//   region-turn.1. A write is refused when the right to archive its partition has ended. So nothing
//        of an earlier term is written while a region replaces its rows at a rejoin.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { ArchiveStore } from "#shared/ports/archive.ts";
import type { Partition } from "#shared/protocol/ids.ts";

/**
 * Resolves with the term in which this process may archive. Where both regions serve it resolves
 * with the first answer: the archive of this region may be written in any case.
 */
export function whenArchiving(right: RegionRight): Promise<number> {
  return new Promise((resolve) => {
    const listener = right.onChange(() => check());
    const check = (): void => {
      if (right.grant?.homes === undefined && right.allows(0) === "nothing") return;
      listener.unsubscribe();
      resolve(right.grant?.term ?? 0);
    };
    check();
  });
}

/** Calls `end` once, when the agent reports another term than `term`. */
export function onNextTerm(right: RegionRight, term: number, end: () => void): void {
  const listener = right.onChange(() => {
    if (right.grant === undefined || right.grant.term === term) return;
    listener.unsubscribe();
    end();
  });
}

/** The rights of a process where both regions serve. */
export class HomeTurns {
  readonly #right: RegionRight;

  constructor(right: RegionRight) {
    this.#right = right;
  }

  /** The term in which this process may archive `p` now; undefined: it may not. */
  readonly archives = (p: Partition): number | undefined =>
    this.#right.allows(p) === "nothing" ? undefined : this.#right.rightOf(p)?.term;

  /** Whether this process may answer reads of `p` and trim its log: its region serves it. */
  readonly serves = (p: Partition): boolean => {
    const allowed = this.#right.allows(p);
    return allowed === "everything" || allowed === "archive";
  };

  /** region-turn.1. */
  guarded<S extends Pick<ArchiveStore, "write">>(store: S): S {
    const write: S["write"] = (batch) =>
      this.archives(batch.p) === undefined
        ? Promise.resolve({ kind: "unavailable", reason: "this region may not archive" })
        : store.write(batch);
    return { ...store, write };
  }
}
