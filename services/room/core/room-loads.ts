// Room loads: which rooms are to be asked of the archive, in which order, and when again.
//
// Owns: the rooms that wait for their load, by who wants them, and what failures mean for the next
// tries. Does not own: the rooms (room-table.ts), asking (tenure.ts).
//
//   room-loads.1. At most LOADS_MAX rooms of a partition are being loaded at a time, and at most
//       LOADS_PER_REQUESTER_MAX for one requester.
//   room-loads.2. Requesters take turns: each gets one load, then the next requester. One that wants thousands of rooms
//        delays another by as many loads as there are requesters.
//   room-loads.3. A room that could not be loaded rests: 250 ms, 500 ms, … RETRY_CAP_MS, and not longer than until
//        the archive is back.
//   room-loads.4. After FAILURES_MAX failures in a row the archive counts as away: one room at a time is tried,
//        250 ms, 500 ms, … RETRY_CAP_MS after the last failure. The first success ends that.

import type { Millis, ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Room } from "./room.ts";

/** Snapshots asked for at a time, per partition. */
export const LOADS_MAX = 32;
export const LOADS_PER_REQUESTER_MAX = 24;
export const FAILURES_MAX = 4;
const RETRY_BASE_MS = 250;
export const RETRY_CAP_MS = 2_000;

/** A user, or a gateway that asks for itself. */
export type Requester = UserId | ProcessId;

interface LoadRequest {
  readonly requesters: Set<Requester>;
  tries: number;
}

export class RoomLoads {
  readonly #requests = new Map<Room, LoadRequest>();
  /** Rooms that may be loaded now, by requester; the requester whose turn is next stands first. */
  readonly #ready = new Map<Requester, Set<Room>>();
  readonly #backingOff = new Map<Room, Millis>();
  /** For whom each room is being loaded. */
  readonly #loading = new Map<Room, Requester>();
  readonly #loadingOf = new Map<Requester, number>();
  #failures = 0;
  #pausedUntil: Millis = 0;

  request(room: Room, requester: Requester): void {
    let request = this.#requests.get(room);
    if (request === undefined) {
      request = { requesters: new Set(), tries: 0 };
      this.#requests.set(room, request);
    }
    request.requesters.add(requester);
    if (!this.#loading.has(room) && !this.#backingOff.has(room)) this.#queueOf(requester).add(room);
  }

  /** Nobody wants it any more. */
  drop(room: Room): void {
    const request = this.#requests.get(room);
    if (request === undefined) return;
    this.#requests.delete(room);
    this.#backingOff.delete(room);
    for (const requester of request.requesters) this.#leave(room, requester);
    this.#endLoading(room);
  }

  /** The rooms to ask for now. */
  start(now: Millis): Room[] {
    if (now < this.#pausedUntil) return [];
    const max = this.#failures >= FAILURES_MAX ? 1 : LOADS_MAX; // room-loads.4
    const started: Room[] = [];
    /** Requesters in a row that may not have another load now. */
    let passed = 0;
    while (this.#loading.size < max && passed < this.#ready.size) {
      const turn = first(this.#ready);
      if (turn === undefined) break;
      const [requester, rooms] = turn;
      this.#ready.delete(requester); // room-loads.2: to the end of the line.
      this.#ready.set(requester, rooms);
      const room = this.#loadsOf(requester) < LOADS_PER_REQUESTER_MAX ? firstOf(rooms) : undefined;
      if (room === undefined) {
        passed++;
        continue;
      }
      passed = 0;
      for (const other of this.#requests.get(room)?.requesters ?? []) this.#leave(room, other);
      this.#loading.set(room, requester);
      this.#loadingOf.set(requester, this.#loadsOf(requester) + 1);
      started.push(room);
    }
    return started;
  }

  succeeded(room: Room): void {
    if (this.#failures >= FAILURES_MAX) {
      for (const waiting of this.#backingOff.keys()) this.#makeReady(waiting); // room-loads.3
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
    const request = this.#requests.get(room);
    if (request !== undefined) this.#backingOff.set(room, now + backoffMs(request.tries++)); // room-loads.3
  }

  /** Rooms that have rested long enough may be tried again. */
  onTick(now: Millis): void {
    for (const [room, until] of this.#backingOff) if (until <= now) this.#makeReady(room);
  }

  #makeReady(room: Room): void {
    this.#backingOff.delete(room);
    for (const requester of this.#requests.get(room)?.requesters ?? [])
      this.#queueOf(requester).add(room);
  }

  #queueOf(requester: Requester): Set<Room> {
    let rooms = this.#ready.get(requester);
    if (rooms === undefined) {
      rooms = new Set();
      this.#ready.set(requester, rooms);
    }
    return rooms;
  }

  #leave(room: Room, requester: Requester): void {
    const rooms = this.#ready.get(requester);
    rooms?.delete(room);
    if (rooms?.size === 0) this.#ready.delete(requester);
  }

  #loadsOf(requester: Requester): number {
    return this.#loadingOf.get(requester) ?? 0;
  }

  #endLoading(room: Room): void {
    const requester = this.#loading.get(room);
    if (requester === undefined) return;
    this.#loading.delete(room);
    const left = this.#loadsOf(requester) - 1;
    if (left > 0) this.#loadingOf.set(requester, left);
    else this.#loadingOf.delete(requester);
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
