// Trimmer: decides how much of a partition's log may be removed after it was archived.
//
// Removed entries exist only in PostgreSQL, so every guard is repeated here, although the log
// adapter and the NATS user have guards of their own. PostgreSQL itself may be lost: a restore from
// a backup needs the log from that backup on. So the log keeps as much as it can hold anyway.
//
//   trim.1. A trim point is a whole number ≥ 2 and at most watermark − keepEntries, or by age at
//        most watermark − 1. The watermark is at most the log's last entry and keepEntries ≥ 1, so
//        the stream is never emptied.
//   trim.2. Trim points grow, and are at least `everyMs` apart.
//   trim.3. A log with a maximum size is trimmed only down to `keepShare` of it, by the size of its
//        average entry. Rejected: never trim past the last confirmed backup. A backup job that
//        fails for days would then fill the logs and stop the chat. Here it reduces how far back
//        the log reaches (R4).
//   trim.4. With `keepMs`, archived entries that are older go, whatever the other options keep: a
//        deleted text is in no log for longer (C6). The log reports the age of its first entry
//        only. So the number to remove is estimated by a steady rate, and doubles while the first
//        entry is still too old. A million old entries are gone after twenty trims. The newest
//        archived entry stays.

import { assert } from "#shared/kit/assert.ts";
import type { LogSeq, Millis } from "#shared/protocol/ids.ts";

export interface TrimOptions {
  /** Archived entries that always stay in the log. */
  readonly keepEntries: number;
  /** Archived entries stay while the log holds at most this share of its maximum bytes. */
  readonly keepShare: number;
  readonly everyMs: number;
  /** Archived entries that are older do not stay (trim.4). Undefined: no bound. */
  readonly keepMs?: number | undefined;
}

/** The log as it is now. */
export interface LogSize {
  readonly first: LogSeq;
  readonly last: LogSeq;
  readonly bytes: number;
  readonly bytesMax?: number | undefined;
  /** When the first entry was written, by the log's clock. */
  readonly firstAt?: Millis | undefined;
}

export class Trimmer {
  readonly #options: TrimOptions;
  /** The last trim point; 1 before the first, so that the first is greater (trim.1, trim.2). */
  #trimmedTo: LogSeq = 1;
  #next: Millis = -Infinity;
  /** The entries that the last trim by age removed at least (trim.4). */
  #aged = 0;

  constructor(options: TrimOptions) {
    assert(Number.isSafeInteger(options.keepEntries), "keepEntries is a whole number");
    assert(options.keepEntries >= 1, "a tail of the log is always kept");
    assert(options.keepShare >= 0, "a share is not negative");
    assert(options.keepShare < 1, "a full log would have to be trimmed");
    assert(options.keepMs === undefined || options.keepMs > 0, "an age is positive");
    this.#options = options;
  }

  /** Whether to request the log's size, since a trim may be due. `watermark` is confirmed. */
  isDue(watermark: LogSeq, now: Millis): boolean {
    if (!Number.isSafeInteger(watermark) || now < this.#next) return false;
    const { keepEntries, keepMs } = this.#options;
    return watermark - (keepMs === undefined ? keepEntries : 1) > this.#trimmedTo;
  }

  /** The entry up to which to trim now; undefined: do not trim. `wall`: by the wall clock. */
  decide(watermark: LogSeq, log: LogSize, now: Millis, wall?: Millis): LogSeq | undefined {
    if (!this.isDue(watermark, now)) return undefined;
    this.#next = now + this.#options.everyMs;
    const bySize = Math.min(watermark - this.#options.keepEntries, this.#excess(log));
    const byAge = Math.min(watermark - 1, this.#tooOld(log, wall));
    const upTo = Math.max(bySize, byAge);
    if (upTo <= this.#trimmedTo) return undefined;
    this.#trimmedTo = upTo;
    return upTo;
  }

  /** The last entry that is too old, by estimation (trim.4). */
  #tooOld({ first, last, firstAt }: LogSize, wall: Millis | undefined): LogSeq {
    const { keepMs } = this.#options;
    if (keepMs === undefined || firstAt === undefined || wall === undefined) return 0;
    const ageMs = wall - firstAt;
    if (ageMs <= keepMs || last <= first) {
      this.#aged = 0;
      return 0;
    }
    const steady = Math.ceil((last - first + 1) * ((ageMs - keepMs) / ageMs));
    this.#aged = Math.max(steady, this.#aged * 2);
    return first - 1 + this.#aged;
  }

  /** The last entry that does not fit into the kept share (trim.3). */
  #excess({ first, last, bytes, bytesMax }: LogSize): LogSeq {
    if (bytesMax === undefined) return Infinity;
    const tooMany = bytes - this.#options.keepShare * bytesMax;
    if (tooMany <= 0) return 0; // An empty log has no bytes.
    const entryBytes = bytes / (last - first + 1);
    return first - 1 + Math.ceil(tooMany / entryBytes);
  }
}
