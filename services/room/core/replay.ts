// Replay: what the log holds above the archive's watermark, gathered before a reign begins.
//
// Owns: the replayed lines per room and the rule which entries count.
//
//   P3.  A replay is over when one's own claim is seen; only then is everything before it known.
//   P4.  If the first entry is not watermark + 1, the log was trimmed meanwhile: begin anew.
//   P15. Void commits are skipped; the epoch at the watermark is where that judgement begins.

import { epochAfter, isVoid } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, RoomId } from "#shared/protocol/ids.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import type { ReplayedBlock } from "./room.ts";

export type ReplayStep =
  | { readonly kind: "more" }
  /** One's own claim was seen. */
  | { readonly kind: "done" }
  /** Not the entry that had to come: ask for the watermark again. */
  | { readonly kind: "trimmed" };

export class Replay {
  readonly watermark: LogSeq;
  readonly #claim: LogSeq;
  readonly #rooms = new Map<RoomId, ReplayedBlock[]>();
  #next: LogSeq;
  #epoch: Epoch;
  #skipped = 0;

  constructor(watermark: Watermark, claim: LogSeq) {
    this.watermark = watermark.seq;
    this.#epoch = watermark.epoch;
    this.#next = watermark.seq + 1;
    this.#claim = claim;
  }

  /** Where to read from. */
  get from(): LogSeq {
    return this.#next;
  }

  /** True when the archive is already past the claim: nothing is left to read. */
  get isDone(): boolean {
    return this.#next > this.#claim;
  }

  get rooms(): ReadonlyMap<RoomId, readonly ReplayedBlock[]> {
    return this.#rooms;
  }

  /** Entries that were void or unreadable. */
  get skipped(): number {
    return this.#skipped;
  }

  onEntry(logSeq: LogSeq, entry: DecodedEntry): ReplayStep {
    if (logSeq < this.#next) return { kind: "more" };
    if (logSeq > this.#next) return { kind: "trimmed" }; // P4
    this.#next++;
    if (entry.kind === "unreadable" || isVoid(this.#epoch, entry)) this.#skipped++;
    else if (entry.kind === "commit") {
      for (const { room, first, lines } of entry.groups) {
        const block: ReplayedBlock = { first, lines, logSeq };
        const blocks = this.#rooms.get(room);
        if (blocks === undefined) this.#rooms.set(room, [block]);
        else blocks.push(block);
      }
    }
    this.#epoch = epochAfter(this.#epoch, logSeq, entry);
    return { kind: this.isDone ? "done" : "more" };
  }
}

/**
 * True when somebody wrote behind the claim `own`, and the archive is past that already: whatever we
 * would append, expecting what follows the watermark, would be accepted by the log and void (P15).
 */
export function isOvertaken(own: Epoch, watermark: Watermark): boolean {
  return watermark.seq >= own && watermark.epoch !== own;
}
