// Replay: what the log holds above the archive's watermark, gathered before a tenure begins.
//
// Owns: the replayed rooms, their lines in log order, and the rule which entries count. Does not own: what
// is given up while a long backlog is read (room-memory.ts).
//
//   replay.1.  A replay is over when one's own claim is seen; only then is everything before it known.
//   replay.2.  If the first entry is not watermark + 1, the log was trimmed meanwhile: begin anew.
//   replay.3. Void commits are skipped; the epoch at the watermark is where that judgement begins.

import { epochAfter, isVoid } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, RoomId } from "#shared/protocol/ids.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { ReplayedRoom } from "./replayed-room.ts";
import type { RoomMemory } from "./room-memory.ts";
import { UnarchivedLines } from "./unarchived.ts";

export type ReplayStep =
  | { readonly kind: "more" }
  /** One's own claim was seen. */
  | { readonly kind: "done" }
  /** Not the entry that had to come: ask for the watermark again. */
  | { readonly kind: "trimmed" };

export class Replay {
  readonly watermark: LogSeq;
  readonly #claim: LogSeq;
  /** All blocks of all rooms, in log order. */
  readonly unarchived: UnarchivedLines;
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, ReplayedRoom>();
  #next: LogSeq;
  #epoch: Epoch;
  #skipped = 0;

  constructor(watermark: Watermark, claim: LogSeq, memory: RoomMemory) {
    this.watermark = watermark.seq;
    this.#memory = memory;
    this.unarchived = new UnarchivedLines(memory);
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

  get rooms(): ReadonlyMap<RoomId, ReplayedRoom> {
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
        let replayed = this.#rooms.get(room);
        if (replayed === undefined) {
          replayed = new ReplayedRoom(room, first, this.#memory);
          this.#rooms.set(room, replayed);
        }
        this.unarchived.add(replayed.add(first, lines, logSeq));
      }
    }
    this.#epoch = epochAfter(this.#epoch, logSeq, entry);
    return { kind: this.isDone ? "done" : "more" };
  }

  /** It leads to no tenure: gives the memory back. */
  abandon(): void {
    this.unarchived.end();
    for (const room of this.#rooms.values()) room.clear();
  }
}

/**
 * True when somebody wrote behind the claim `own`, and the archive is past that already: whatever we
 * would append, expecting what follows the watermark, would be accepted by the log and void (P15).
 */
export function isOvertaken(claim: Epoch, watermark: Watermark): boolean {
  return watermark.seq >= claim && watermark.epoch !== claim;
}
