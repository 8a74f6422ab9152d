// Room loads: which rooms the owner loads from the archive, in which order, and when it retries.
//
// Owns: the requested rooms by requester, and the retries after failures. Does not own: the rooms
// (room-table.ts), the requests to the archive (tenure.ts).
//
//   room-loads.1. At most LOADS_MAX rooms of a partition are loaded at a time, and at most
//       LOADS_PER_REQUESTER_MAX of one requester.
//   room-loads.2. Requesters take turns: each gets one load, then the next one. A requester of
//       thousands of rooms delays another one by as many loads as there are requesters.
//   room-loads.3. After a failed load a room waits for 250 ms, 500 ms, … RETRY_CAP_MS, and no
//       longer than until the archive is available again.
//   room-loads.4. After FAILURES_MAX failures in a row the archive counts as unavailable. The owner
//       then tries one room at a time, 250 ms, 500 ms, … RETRY_CAP_MS after the last failure. The
//       first success ends this.

import type { Millis, ProcessId, UserId } from "#shared/protocol/ids.ts";
import type { Room } from "./room.ts";

/** The number of snapshots that a partition requests at a time. */
export const LOADS_MAX = 32;
export const LOADS_PER_REQUESTER_MAX = 24;
export const FAILURES_MAX = 4;
const RETRY_BASE_MS = 250;
export const RETRY_CAP_MS = 2_000;

/** A user, or a gateway that loads a room for its own request. */
export type Requester = UserId | ProcessId;

interface LoadRequest {
  readonly requesters: Set<Requester>;
  tries: number;
}

export class RoomLoads {
  readonly #requests = new Map<Room, LoadRequest>();
  /** Rooms that may be loaded now, by requester. The requester with the next turn is first. */
  readonly #ready = new Map<Requester, Set<Room>>();
  readonly #backingOff = new Map<Room, Millis>();
  /** Rooms that are being loaded, with the requester whose turn it was. */
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

  /** The room is no longer needed. */
  drop(room: Room): void {
    const request = this.#requests.get(room);
    if (request === undefined) return;
    this.#requests.delete(room);
    this.#backingOff.delete(room);
    for (const requester of request.requesters) this.#leave(room, requester);
    this.#endLoading(room);
  }

  /** The rooms to load now. */
  start(now: Millis): Room[] {
    if (now < this.#pausedUntil) return [];
    const max = this.#failures >= FAILURES_MAX ? 1 : LOADS_MAX; // room-loads.4
    const started: Room[] = [];
    /** Requesters in a row that may not begin another load now. */
    let passed = 0;
    while (this.#loading.size < max && passed < this.#ready.size) {
      const turn = first(this.#ready);
      if (turn === undefined) break;
      const [requester, rooms] = turn;
      this.#ready.delete(requester); // room-loads.2: it moves to the end.
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
    // room-loads.3
    if (request !== undefined) this.#backingOff.set(room, now + backoffMs(request.tries++));
  }

  /** Makes rooms ready whose wait after a failure has ended. */
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
