// Room table: the rooms of one reign that are in memory, and how they come and go.
//
// Owns: rooms, what the replay found for rooms not yet loaded, the order of loads, the deadline of
// waiting commands, passivation. Does not own: what a command does (reign.ts, room.ts).
//
//   B1. At most LOADS_MAX rooms are being loaded at a time; the others wait in order.
//   P12. A room that was idle for IDLE_MS, is wholly archived and has nobody waiting is dropped; it
//        comes back from the archive with the same head, ids and tail.

import type { LogSeq, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { MemoryBudget } from "./recent.ts";
import { Room } from "./room.ts";
import type { ReplayedBlock, WaitingCommand } from "./room.ts";

/** Snapshots asked for at a time, per partition. */
export const LOADS_MAX = 32;
/** A room without a command for this long may be passivated. */
export const IDLE_MS = 5 * 60_000;
/** A broken connection loses what was published this long before it was given up (6 s), with reserve. */
export const UNHEARD_MS = 15_000;
const RETRY_MS = 250;
/** Rooms looked at per housekeeping, so that a hundred thousand rooms are no pause. */
const HOUSEKEEP_ROOMS = 512;

export class RoomTable {
  readonly #budget: MemoryBudget;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #replayed: Map<RoomId, readonly ReplayedBlock[]>;
  /** Rooms in phase `queued`, in order of asking. */
  readonly #queued = new Set<Room>();
  /** Rooms with commands that wait. */
  readonly #withWaiting = new Set<Room>();
  #loading = 0;
  #housekeeping = this.#rooms.values();

  constructor(budget: MemoryBudget, replayed: ReadonlyMap<RoomId, readonly ReplayedBlock[]>) {
    this.#budget = budget;
    this.#replayed = new Map(replayed);
  }

  get size(): number {
    return this.#rooms.size;
  }

  get(id: RoomId): Room | undefined {
    return this.#rooms.get(id);
  }

  /** The room, begun to be loaded if it is not in memory. */
  open(id: RoomId, now: Millis): Room {
    let room = this.#rooms.get(id);
    if (room === undefined) {
      room = new Room(id, this.#budget, now);
      this.#rooms.set(id, room);
      this.#countRooms(1);
      this.#queued.add(room);
    }
    room.usedAt = now;
    return room;
  }

  replayedOf(id: RoomId): readonly ReplayedBlock[] {
    return this.#replayed.get(id) ?? [];
  }

  *replayedHeads(): Generator<[RoomId, Seq]> {
    for (const [id, blocks] of this.#replayed) {
      const last = blocks.at(-1);
      if (last !== undefined) yield [id, last.first + last.lines.length - 1];
    }
  }

  /** Of the replayed rooms and of those that were used since `since`. */
  *headsSince(since: Millis): Generator<[RoomId, Seq]> {
    yield* this.replayedHeads();
    for (const { id, head, phase, usedAt } of this.#rooms.values()) {
      const isKnown = phase.kind === "ready" || phase.kind === "looking-up";
      if (isKnown && usedAt >= since && head > 0) yield [id, head];
    }
  }

  wait(room: Room, command: WaitingCommand): void {
    room.waiting.push(command);
    this.#withWaiting.add(room);
  }

  waitFirst(room: Room, command: WaitingCommand): void {
    room.waiting.unshift(command);
    this.#withWaiting.add(room);
  }

  /** The rooms to ask the archive for now. */
  startLoads(now: Millis, mark: LogSeq): RoomId[] {
    if (this.#queued.size === 0) return [];
    const loads: RoomId[] = [];
    for (const room of this.#queued) {
      if (this.#loading >= LOADS_MAX) break; // B1
      if (room.phase.kind !== "queued" || room.phase.notBefore > now) continue;
      this.#queued.delete(room);
      room.phase = { kind: "loading", mark };
      this.#loading++;
      loads.push(room.id);
    }
    return loads;
  }

  loaded(room: Room): void {
    this.#loading--;
    this.#replayed.delete(room.id);
  }

  retryLater(room: Room, now: Millis): void {
    this.#loading--;
    room.phase = { kind: "queued", notBefore: now + RETRY_MS };
    this.#queued.add(room);
  }

  dropWaitingOf(gateway: ProcessId): void {
    for (const room of this.#withWaiting) {
      const kept = room.waiting.filter((item) => item.gateway !== gateway);
      room.waiting.splice(0, room.waiting.length, ...kept);
      if (kept.length === 0) this.#withWaiting.delete(room);
    }
  }

  /** Removes and returns the commands that wait since before `limit`. */
  expireWaiting(limit: Millis): WaitingCommand[] {
    const expired: WaitingCommand[] = [];
    for (const room of this.#withWaiting) {
      while ((room.waiting[0]?.since ?? Infinity) < limit) {
        const first = room.waiting.shift();
        if (first !== undefined) expired.push(first);
      }
      if (room.waiting.length === 0) this.#withWaiting.delete(room);
    }
    return expired;
  }

  /** Prunes ids and passivates idle rooms (P12), a slice of the table at a time. */
  housekeep(now: Millis, wall: Millis): void {
    for (let i = Math.min(HOUSEKEEP_ROOMS, this.#rooms.size); i > 0; i--) {
      const next = this.#housekeeping.next();
      if (next.done === true) {
        this.#housekeeping = this.#rooms.values();
        return;
      }
      const room = next.value;
      if (room.phase.kind === "ready") room.prune(wall);
      if (now - room.usedAt < IDLE_MS || !room.isSettled || room.waiting.length > 0) continue;
      room.recent.clear();
      this.#rooms.delete(room.id);
      this.#countRooms(-1);
    }
  }

  clear(): void {
    for (const room of this.#rooms.values()) room.recent.clear();
    this.#countRooms(-this.#rooms.size);
    this.#rooms.clear();
  }

  #countRooms(by: number): void {
    this.#budget.rooms = (this.#budget.rooms ?? 0) + by;
  }
}
