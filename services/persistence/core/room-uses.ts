// RoomUses: how often the pages of each room are read, with less weight for older reads. Pure.
//
// Owns: the rooms that this process knows of, their scores, and what of them is not stored yet.
// Does not own: the table with the sums of all processes (adapters/postgres-room-uses.ts).
//
// A read at the time t has the weight 2^(t / HALF_LIFE_MS). A score is the logarithm (base 2) of
// the sum of the weights. So the order of two rooms does not change while neither is read, and no
// score has to be lowered as time passes.
//
//   room-uses.1. It knows at most ROOMS_MAX rooms. One more replaces the room that was not read for
//        the longest time.
//   room-uses.2. Each read is in exactly one list of `take`, or waits for one. `putBack` returns a
//        list that was not stored.
//   room-uses.3. Scores add up in any order: the sum of the lists of several processes is the score
//        of all their reads.

import type { Millis, RoomId } from "#shared/protocol/ids.ts";

export const HALF_LIFE_MS = 3_600_000;
export const ROOMS_MAX = 4_096;

/** A room and a score. */
export type RoomScore = readonly [RoomId, number];

interface Known {
  readonly score: number;
  /** The part that no list of `take` has; -Infinity: nothing. */
  readonly waiting: number;
}

export class RoomUses {
  /** The room that was not read for the longest time is first. */
  readonly #rooms = new Map<RoomId, Known>();

  get size(): number {
    return this.#rooms.size;
  }

  /** Whether a page of the room was read, as far as this process knows. */
  has(room: RoomId): boolean {
    return this.#rooms.has(room);
  }

  /** The stored scores, highest first. A room that is known already keeps what it has. */
  load(stored: readonly RoomScore[]): void {
    for (const [room, score] of stored.slice(0, ROOMS_MAX - this.#rooms.size).toReversed()) {
      if (!this.#rooms.has(room)) this.#rooms.set(room, { score, waiting: -Infinity });
    }
  }

  /** A page of the room is read at the wall time `now`. */
  use(room: RoomId, now: Millis): void {
    const { score = -Infinity, waiting = -Infinity } = this.#rooms.get(room) ?? {};
    const weight = now / HALF_LIFE_MS;
    this.#put(room, { score: sumOf(score, weight), waiting: sumOf(waiting, weight) });
  }

  /** Uses that are not stored yet, of the `most` rooms with the highest scores (room-uses.2). */
  take(most: number): RoomScore[] {
    const best = [...this.#rooms].toSorted(([, a], [, b]) => b.score - a.score).slice(0, most);
    return best.flatMap(([room, { score, waiting }]): RoomScore[] => {
      if (waiting === -Infinity) return [];
      this.#rooms.set(room, { score, waiting: -Infinity });
      return [[room, waiting]];
    });
  }

  /** room-uses.2. */
  putBack(list: readonly RoomScore[]): void {
    for (const [room, part] of list) {
      const known = this.#rooms.get(room);
      if (known === undefined) continue; // room-uses.1
      this.#rooms.set(room, { ...known, waiting: sumOf(known.waiting, part) });
    }
  }

  #put(room: RoomId, known: Known): void {
    this.#rooms.delete(room);
    this.#rooms.set(room, known);
    if (this.#rooms.size <= ROOMS_MAX) return;
    for (const oldest of this.#rooms.keys()) {
      this.#rooms.delete(oldest);
      return;
    }
  }
}

/**
 * The logarithm of the sum of two weights, of which `a` and `b` are the logarithms. One is finite.
 */
function sumOf(a: number, b: number): number {
  const high = Math.max(a, b);
  return high + Math.log2(1 + 2 ** (Math.min(a, b) - high));
}
