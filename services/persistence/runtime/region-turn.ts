// RegionTurn: waits until the region of this process may archive, and ends the process when another
// term has begun.
//
// Until then PostgreSQL is a standby that refuses writes, and afterwards it may be one again. A
// process that has read a watermark before must not continue with it.

import type { RegionRight } from "#shared/process/region-grants.ts";

/** Resolves with the term in which this process may archive. */
export function whenArchiving(right: RegionRight): Promise<number> {
  return new Promise((resolve) => {
    const listener = right.onChange(() => check());
    const check = (): void => {
      if (right.allows() === "nothing") return;
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
