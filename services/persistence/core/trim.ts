// Trim: how much of a partition's log may go, once it is archived.
//
// What is removed here is nowhere else but in PostgreSQL, so every guard is repeated, although the
// log adapter and the credential have theirs.
//
//   T1. A trim point is a whole number ≥ 2 and at most watermark − keepEntries. The watermark is at
//       most the log's last entry and keepEntries ≥ 1, so the stream is never emptied.
//   T2. Trim points grow, and are given at most every `everyMs`.

import { assert } from "#shared/kit/assert.ts";
import type { LogSeq, Millis } from "#shared/protocol/ids.ts";

export interface TrimOptions {
  /** Archived entries that stay in the log all the same. */
  readonly keepEntries: number;
  readonly everyMs: number;
}

export class Trimmer {
  readonly #options: TrimOptions;
  #trimmedTo: LogSeq = 0;
  #next: Millis = -Infinity;

  constructor(options: TrimOptions) {
    assert(Number.isSafeInteger(options.keepEntries), "keepEntries is a whole number");
    assert(options.keepEntries >= 1, "a tail of the log is always kept");
    this.#options = options;
  }

  /** Up to which entry to trim now; undefined for not at all. `watermark` is confirmed. */
  decide(watermark: LogSeq, now: Millis): LogSeq | undefined {
    if (!Number.isSafeInteger(watermark) || now < this.#next) return undefined;
    const upTo = watermark - this.#options.keepEntries;
    if (upTo < 2 || upTo <= this.#trimmedTo) return undefined;
    this.#trimmedTo = upTo;
    this.#next = now + this.#options.everyMs;
    return upTo;
  }
}
