// Room loads: which rooms are to be asked of the archive, in which order, and when again.
//
// Owns: the rooms that wait for their load, by who wants them, and what failures mean for the next
// tries. Does not own: the rooms (room-table.ts), asking (tenure.ts).
//
//   room-loads.1. At most LOADS_MAX rooms of a partition are being loaded at a time, and at most
//       LOADS_PER_ASKER_MAX for one asker.
//   room-loads.2. Askers take turns: each gets one load, then the next asker. One that wants thousands of rooms
//        delays another by as many loads as there are askers.
//   room-loads.3. A room that could not be loaded rests: 250 ms, 500 ms, … RETRY_CAP_MS, and not longer than until
//        the archive is back.
//   room-loads.4. After FAILURES_MAX failures in a row the archive counts as away: one room at a time is tried,
//        250 ms, 500 ms, … RETRY_CAP_MS after the last failure. The first success ends that.

import type { Millis, ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Room } from "./room.ts";

/** Snapshots asked for at a time, per partition. */
export const LOADS_MAX = 32;
export const LOADS_PER_ASKER_MAX = 24;
export const FAILURES_MAX = 4;
const RETRY_BASE_MS = 250;
export const RETRY_CAP_MS = 2_000;

/** A user, or a gateway that asks for itself. */
export type Asker = UserId | ProcessId;

interface Wanted {
  readonly askers: Set<Asker>;
  tries: number;
}

export class RoomLoads {
  readonly #wanted = new Map<Room, Wanted>();
  /** Rooms that may be loaded now, by asker; the asker whose turn is next stands first. */
  readonly #ready = new Map<Asker, Set<Room>>();
  readonly #resting = new Map<Room, Millis>();
  /** For whom each room is being loaded. */
  readonly #loading = new Map<Room, Asker>();
  readonly #loadingOf = new Map<Asker, number>();
  #failures = 0;
  #pausedUntil: Millis = 0;

  want(room: Room, asker: Asker): void {
    let wanted = this.#wanted.get(room);
    if (wanted === undefined) {
      wanted = { askers: new Set(), tries: 0 };
      this.#wanted.set(room, wanted);
    }
    wanted.askers.add(asker);
    if (!this.#loading.has(room) && !this.#resting.has(room)) this.#line(asker).add(room);
  }

  /** Nobody wants it any more. */
  drop(room: Room): void {
    const wanted = this.#wanted.get(room);
    if (wanted === undefined) return;
    this.#wanted.delete(room);
    this.#resting.delete(room);
    for (const asker of wanted.askers) this.#leave(room, asker);
    this.#endLoading(room);
  }

  /** The rooms to ask for now. */
  start(now: Millis): Room[] {
    if (now < this.#pausedUntil) return [];
    const max = this.#failures >= FAILURES_MAX ? 1 : LOADS_MAX; // room-loads.4
    const started: Room[] = [];
    /** Askers in a row that may not have another load now. */
    let passed = 0;
    while (this.#loading.size < max && passed < this.#ready.size) {
      const turn = first(this.#ready);
      if (turn === undefined) break;
      const [asker, rooms] = turn;
      this.#ready.delete(asker); // room-loads.2: to the end of the line.
      this.#ready.set(asker, rooms);
      const room = this.#loadsOf(asker) < LOADS_PER_ASKER_MAX ? firstOf(rooms) : undefined;
      if (room === undefined) {
        passed++;
        continue;
      }
      passed = 0;
      for (const other of this.#wanted.get(room)?.askers ?? []) this.#leave(room, other);
      this.#loading.set(room, asker);
      this.#loadingOf.set(asker, this.#loadsOf(asker) + 1);
      started.push(room);
    }
    return started;
  }

  succeeded(room: Room): void {
    if (this.#failures >= FAILURES_MAX) {
      for (const resting of this.#resting.keys()) this.#wake(resting); // room-loads.3
    }
    this.#failures = 0;
    this.#pausedUntil = 0;
    this.drop(room);
  }

  failed(room: Room, now: Millis): void {
    this.#endLoading(room);
    this.#failures++;
    if (this.#failures >= FAILURES_MAX) {
      this.#pausedUntil = now + backoffMs(this.#failures - FAILURES_MAX); // room-loads.4
    }
    const wanted = this.#wanted.get(room);
    if (wanted !== undefined) this.#resting.set(room, now + backoffMs(wanted.tries++)); // room-loads.3
  }

  /** Rooms that have rested long enough may be tried again. */
  onTick(now: Millis): void {
    for (const [room, until] of this.#resting) if (until <= now) this.#wake(room);
  }

  #wake(room: Room): void {
    this.#resting.delete(room);
    for (const asker of this.#wanted.get(room)?.askers ?? []) this.#line(asker).add(room);
  }

  #line(asker: Asker): Set<Room> {
    let rooms = this.#ready.get(asker);
    if (rooms === undefined) {
      rooms = new Set();
      this.#ready.set(asker, rooms);
    }
    return rooms;
  }

  #leave(room: Room, asker: Asker): void {
    const rooms = this.#ready.get(asker);
    rooms?.delete(room);
    if (rooms?.size === 0) this.#ready.delete(asker);
  }

  #loadsOf(asker: Asker): number {
    return this.#loadingOf.get(asker) ?? 0;
  }

  #endLoading(room: Room): void {
    const asker = this.#loading.get(room);
    if (asker === undefined) return;
    this.#loading.delete(room);
    const left = this.#loadsOf(asker) - 1;
    if (left > 0) this.#loadingOf.set(asker, left);
    else this.#loadingOf.delete(asker);
  }
}

function backoffMs(tries: number): Millis {
  return Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(tries, 10));
}

function first<K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | undefined {
  for (const entry of map) return entry;
  return undefined;
}

function firstOf<T>(items: ReadonlySet<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
