// Replay: reads the log above the archive's watermark before a tenure begins.
//
// Owns: the replayed rooms, their lines in log order, and the rule which entries count. Does not
// own: what is dropped when memory is short during a long replay (room-memory.ts).
//
//   replay.1. A replay ends with the owner's own claim. Only then all entries before it are known.
//   replay.2. If the first entry is not watermark + 1, the log was trimmed during the replay, and
//       the replay begins again.
//   replay.3. Void commits are skipped. The judgement begins with the epoch at the watermark.
//   replay.4. An entry of a newer version ends the replay without a tenure (N8): its events are not
//       known here, and a new event would get the number of one of them.
//   replay.5. A split in force removes the rooms that it moved. The archive has all of their events
//       before another owner serves them.

import { epochAfter, isVoid } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Partition, RoomId } from "#shared/protocol/ids.ts";
import { initialOf, isRoomOf } from "#shared/protocol/partition-map.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { ReplayedRoom } from "./replayed-room.ts";
import type { RoomMemory } from "./room-memory.ts";
import { UnarchivedLines } from "./unarchived.ts";

export type ReplayStep =
  | { readonly kind: "more" }
  /** The owner's own claim was read. */
  | { readonly kind: "done" }
  /** An entry is missing: the partition reads the watermark again. */
  | { readonly kind: "trimmed" }
  /** replay.4. */
  | { readonly kind: "newer"; readonly reason: string };

/** A partition, and how many there were when the cluster was created. */
export interface Place {
  readonly p: Partition;
  readonly first: number;
}

export const ONLY_PARTITION: Place = { p: 0, first: 1 };

export class Replay {
  readonly watermark: LogSeq;
  readonly #claim: LogSeq;
  readonly #p: Partition;
  /** The blocks of all rooms in log order. */
  readonly unarchived: UnarchivedLines;
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, ReplayedRoom>();
  #next: LogSeq;
  #epoch: Epoch;
  #of: number;
  #skipped = 0;

  constructor(
    watermark: Watermark,
    claim: LogSeq,
    memory: RoomMemory,
    { p, first }: Place = ONLY_PARTITION,
  ) {
    this.#p = p;
    this.#of = watermark.of ?? initialOf(p, first);
    this.watermark = watermark.seq;
    this.#memory = memory;
    this.unarchived = new UnarchivedLines(memory);
    this.#epoch = watermark.epoch;
    this.#next = watermark.seq + 1;
    this.#claim = claim;
  }

  /** The next log sequence to read. */
  get from(): LogSeq {
    return this.#next;
  }

  /** True when the archive has the claim already, so that no entry is left to read. */
  get isDone(): boolean {
    return this.#next > this.#claim;
  }

  get rooms(): ReadonlyMap<RoomId, ReplayedRoom> {
    return this.#rooms;
  }

  /** The partition serves the rooms with fnv1a32(room) mod `of` = p. */
  get of(): number {
    return this.#of;
  }

  /** The number of void and unreadable entries. */
  get skipped(): number {
    return this.#skipped;
  }

  onEntry(logSeq: LogSeq, entry: DecodedEntry): ReplayStep {
    if (logSeq < this.#next) return { kind: "more" };
    if (logSeq > this.#next) return { kind: "trimmed" }; // P4
    if (entry.kind === "unreadable" && entry.isNewer === true) {
      return { kind: "newer", reason: entry.reason };
    }
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
    } else if (entry.kind === "split") this.#split(entry.of);
    this.#epoch = epochAfter(this.#epoch, logSeq, entry);
    return { kind: this.isDone ? "done" : "more" };
  }

  /** replay.5. */
  #split(of: number): void {
    this.#of = of;
    for (const [id, room] of this.#rooms) {
      if (isRoomOf(id, this.#p, of)) continue;
      room.clear();
      this.#rooms.delete(id);
    }
  }

  /** Gives the memory back. No tenure begins with this replay. */
  abandon(): void {
    this.unarchived.end();
    for (const room of this.#rooms.values()) room.clear();
  }
}

/**
 * True when another node has claimed after `claim` and the archive has that entry. The log would
 * accept an append that expects the watermark, and the append would be void (P15).
 */
export function isOvertaken(claim: Epoch, watermark: Watermark): boolean {
  return watermark.seq >= claim && watermark.epoch !== claim;
}
