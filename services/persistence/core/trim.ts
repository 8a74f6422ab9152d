// Trim: how much of a partition's log may go, once it is archived.
//
// What is removed here is nowhere else but in PostgreSQL, so every guard is repeated, although the
// log adapter and the credential have theirs. And PostgreSQL itself may be lost: whoever restores a
// backup needs the log from there on. So the log keeps what it can hold anyway, like a ring.
//
//   trim.1. A trim point is a whole number ≥ 2 and at most watermark − keepEntries. The watermark is at
//       most the log's last entry and keepEntries ≥ 1, so the stream is never emptied.
//   trim.2. Trim points grow, and are given at most every `everyMs`.
//   trim.3. A log with a bound is trimmed only down to `keepShare` of it, by the size of its average entry.
//       Rejected: never to pass the last confirmed backup. A backup job that fails for days would then
//       fill the logs and stop the chat; here it costs the reach that the log has (R4).

import { assert } from "#shared/kit/assert.ts";
import type { LogSeq, Millis } from "#shared/protocol/ids.ts";

export interface TrimOptions {
  /** Archived entries that stay in the log in any case. */
  readonly keepEntries: number;
  /** Of the bytes that a log may hold: archived entries stay while it has no more. */
  readonly keepShare: number;
  readonly everyMs: number;
}

/** The log as it is now. */
export interface LogSize {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly bytes: number;
  readonly bytesMax?: number | undefined;
}

export class Trimmer {
  readonly #options: TrimOptions;
  /** The last trim point; 1 before the first, which is greater therefore (trim.1, trim.2). */
  #trimmedTo: LogSeq = 1;
  #next: Millis = -Infinity;

  constructor(options: TrimOptions) {
    assert(Number.isSafeInteger(options.keepEntries), "keepEntries is a whole number");
    assert(options.keepEntries >= 1, "a tail of the log is always kept");
    assert(options.keepShare >= 0, "a share is not negative");
    assert(options.keepShare < 1, "a full log would have to be trimmed");
    this.#options = options;
  }

  /** Whether to look at the log: something may have to go. `watermark` is confirmed. */
  isDue(watermark: LogSeq, now: Millis): boolean {
    if (!Number.isSafeInteger(watermark) || now < this.#next) return false;
    return watermark - this.#options.keepEntries > this.#trimmedTo;
  }

  /** Up to which entry to trim now; undefined for not at all. */
  decide(watermark: LogSeq, log: LogSize, now: Millis): LogSeq | undefined {
    if (!this.isDue(watermark, now)) return undefined;
    this.#next = now + this.#options.everyMs;
    const upTo = Math.min(watermark - this.#options.keepEntries, this.#excess(log));
    if (upTo <= this.#trimmedTo) return undefined;
    this.#trimmedTo = upTo;
    return upTo;
  }

  /** The last entry that does not fit into what is kept (trim.3). */
  #excess({ first, last, bytes, bytesMax }: LogSize): LogSeq {
    if (bytesMax === undefined) return Infinity;
    const tooMany = bytes - this.#options.keepShare * bytesMax;
    if (tooMany <= 0) return 0; // An empty log has no bytes.
    const entryBytes = bytes / (last - first + 1);
    return first - 1 + Math.ceil(tooMany / entryBytes);
  }
}
