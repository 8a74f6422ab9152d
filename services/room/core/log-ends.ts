// Log ends: where the log of a tenure ended at its last ticks.
//
// Owns: the end of ARCHIVED_LATELY_MS ago. When the archive has it, the archive is close behind the
// log, and a split makes the moved rooms wait for a short time only (P28).
//
//   log-ends.1. It holds the ticks of ARCHIVED_LATELY_MS and one more.

import type { LogSeq, Millis } from "#shared/protocol/ids.ts";
import { ARCHIVED_LATELY_MS } from "./partition-state.ts";

export class LogEnds {
  /** The oldest first. */
  readonly #ends: { readonly at: Millis; readonly last: LogSeq }[] = [];

  note(last: LogSeq, now: Millis): void {
    this.#ends.push({ at: now, last });
    // log-ends.1
    while ((this.#ends[1]?.at ?? Infinity) <= now - ARCHIVED_LATELY_MS) this.#ends.shift();
  }

  /** The end ARCHIVED_LATELY_MS before the last tick; undefined in a younger tenure. */
  get earlier(): LogSeq | undefined {
    const [oldest] = this.#ends;
    const newest = this.#ends.at(-1);
    if (oldest === undefined || newest === undefined) return undefined;
    return newest.at - oldest.at >= ARCHIVED_LATELY_MS ? oldest.last : undefined;
  }
}
