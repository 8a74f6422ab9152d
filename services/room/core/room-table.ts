// Room table: the rooms of one tenure that are in memory, and how they come and go.
//
// Owns: rooms, what the replay found for rooms not yet loaded, who wants a room loaded, the deadline of
// waiting commands, passivation. Does not own: what a command does (tenure.ts, room.ts), the order of
// loads (room-loads.ts).
//
//   room-table.1. A room that was idle for IDLE_MS, is wholly archived and has nobody waiting is dropped; it
//        comes back from the archive with the same head, ids and tail.
//   room-table.2. A room is loaded while a command waits for it or a gateway that has announced members is owed its
//        head, and not for anything else. One that nobody wants is dropped UNLOADED_MS after its last
//        command; until then it remembers whom it refused (holds.ts).

import type { LogSeq, Millis, ProcessId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import { RoomLoads } from "./room-loads.ts";
import type { Requester } from "./room-loads.ts";
import { IDLE_MS } from "./room-memory.ts";
import type { RoomMemory } from "./room-memory.ts";
import { Room, WAITING_MAX } from "./room.ts";
import type { Arrival } from "./room.ts";

/** A broken connection loses what was published this long before it was given up (6 s), with reserve. */
export const UNDELIVERED_MS = 15_000;
/** A room that could not be loaded is kept this long after its last command. */
export const UNLOADED_MS = 15_000;
/** Rooms looked at per housekeeping, so that a hundred thousand rooms are no pause. */
const HOUSEKEEP_ROOMS = 512;
/** A room beside its lines and ids: the objects, its maps, its place in the table. */
const ROOM_BYTES = 1_280;
const ARRIVAL_BYTES = 768;

export class RoomTable {
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #replayed: Map<RoomId, ReplayedRoom>;
  readonly #loads = new RoomLoads();
  /** Rooms with commands that wait. */
  readonly #withWaiting = new Set<Room>();
  /** Rooms that are not loaded, and the gateways that are owed their heads. */
  readonly #pendingHeads = new Map<Room, Set<ProcessId>>();
  #housekeeping = this.#rooms.values();
  #replayedTurn: MapIterator<ReplayedRoom>;
  /** When the first housekeeping was. */
  #beganAt: Millis | undefined;

  constructor(memory: RoomMemory, replayed: ReadonlyMap<RoomId, ReplayedRoom>) {
    this.#memory = memory;
    this.#replayed = new Map(replayed);
    this.#replayedTurn = this.#replayed.values();
  }

  get(id: RoomId): Room | undefined {
    return this.#rooms.get(id);
  }

  /** The room, in memory or not; it is loaded when a command waits for it or its head is owed. */
  open(id: RoomId, now: Millis): Room {
    let room = this.#rooms.get(id);
    if (room === undefined) {
      room = new Room(id, this.#memory, now);
      this.#rooms.set(id, room);
      this.#countRooms(1);
    }
    room.usedAt = now;
    return room;
  }

  replayedOf(id: RoomId): ReplayedRoom | undefined {
    return this.#replayed.get(id);
  }

  *replayedHeads(): Generator<[RoomId, Seq]> {
    for (const [id, { head }] of this.#replayed) yield [id, head];
  }

  /** Of the replayed rooms and of those that were used since `since`. */
  *headsSince(since: Millis): Generator<[RoomId, Seq]> {
    yield* this.replayedHeads();
    for (const { id, head, isLoaded, usedAt } of this.#rooms.values()) {
      if (isLoaded && usedAt >= since && head > 0) yield [id, head];
    }
  }

  /**
   * False when it must not wait: too much does. A leave always waits: memberships bound them. A send whose
   * sender has others waiting here waits without its body, to be refused behind them (O4).
   */
  wait(room: Room, arrival: Arrival): boolean {
    const { command } = arrival;
    const isFull = room.waiting.length >= WAITING_MAX || this.#memory.isFull;
    if (!isFull || command.op === "leave") this.#wait(room, arrival);
    else if (command.op === "send" && isBehind(room, command.from)) {
      this.#wait(room, { ...arrival, command: { ...command, body: {} }, isRefused: true });
    } else return false;
    return true;
  }

  #wait(room: Room, command: Arrival): void {
    room.waiting.push(command);
    this.#memory.account.add("waiting", bytesOf(command));
    this.#withWaiting.add(room);
    this.#loads.request(room, requesterOf(command));
  }

  /** Takes out the command of a room that has waited longest. */
  takeWaiting(room: Room): Arrival | undefined {
    const first = room.waiting.shift();
    if (first !== undefined) this.#memory.account.add("waiting", -bytesOf(first));
    return first;
  }

  /** `gateway` has members in a room that is not loaded. */
  requestHead(room: Room, gateway: ProcessId): void {
    const gateways = this.#pendingHeads.get(room);
    if (gateways === undefined) this.#pendingHeads.set(room, new Set([gateway]));
    else gateways.add(gateway);
    this.#loads.request(room, gateway);
  }

  /** The rooms to ask the archive for now. */
  startLoads(now: Millis, watermark: LogSeq): RoomId[] {
    const started = this.#loads.start(now);
    for (const room of started) room.phase = { kind: "loading", watermark };
    return started.map(({ id }) => id);
  }

  loaded(room: Room): void {
    this.#loads.succeeded(room);
    this.#pendingHeads.delete(room);
    this.#replayed.get(room.id)?.clear();
    this.#replayed.delete(room.id);
  }

  retryLater(room: Room, now: Millis): void {
    room.phase = { kind: "queued" };
    this.#loads.failed(room, now);
    this.#release(room);
  }

  /** It is gone, with all that it was waiting for. */
  dropGateway(gateway: ProcessId): void {
    this.dropWaitingOf(gateway);
    for (const [room, gateways] of this.#pendingHeads) {
      if (!gateways.delete(gateway) || gateways.size > 0) continue;
      this.#pendingHeads.delete(room);
      this.#release(room);
    }
  }

  dropWaitingOf(gateway: ProcessId): void {
    for (const room of this.#withWaiting) {
      const kept: Arrival[] = [];
      for (let next = this.takeWaiting(room); next !== undefined; next = this.takeWaiting(room)) {
        if (next.gateway !== gateway) kept.push(next);
      }
      for (const arrival of kept) this.#wait(room, arrival);
      if (kept.length > 0) continue;
      this.#withWaiting.delete(room);
      this.#release(room);
    }
  }

  /** Removes and returns the commands that came before `limit`. */
  expireWaiting(limit: Millis): Arrival[] {
    const expired: Arrival[] = [];
    for (const room of this.#withWaiting) {
      while ((room.waiting[0]?.cameAt ?? Infinity) < limit) {
        const first = this.takeWaiting(room);
        if (first !== undefined) expired.push(first);
      }
      if (room.waiting.length > 0) continue;
      this.#withWaiting.delete(room);
      this.#release(room);
    }
    return expired;
  }

  /** Prunes ids and passivates idle rooms (P12), a slice of the table at a time. */
  housekeep(now: Millis, wall: Millis): void {
    this.#loads.onTick(now);
    this.#forgetReplayed(now);
    for (let i = Math.min(HOUSEKEEP_ROOMS, this.#rooms.size); i > 0; i--) {
      const next = this.#housekeeping.next();
      if (next.done === true) {
        this.#housekeeping = this.#rooms.values();
        return;
      }
      const room = next.value;
      room.prune(wall);
      if (!this.#mayPassivate(room, now - room.usedAt)) continue;
      room.clear();
      this.#rooms.delete(room.id);
      this.#countRooms(-1);
    }
  }

  /** What nobody opened since the tenure began, and is archived, is loaded like any other room (P12). */
  #forgetReplayed(now: Millis): void {
    this.#beganAt ??= now;
    if (now - this.#beganAt < IDLE_MS) return;
    for (let i = Math.min(HOUSEKEEP_ROOMS, this.#replayed.size); i > 0; i--) {
      const next = this.#replayedTurn.next();
      if (next.done === true) {
        this.#replayedTurn = this.#replayed.values();
        return;
      }
      const replayed = next.value;
      // One that is being loaded is kept: the answer under way may be older than its archiving (P25).
      if (!replayed.isArchived || this.#rooms.has(replayed.id)) continue;
      replayed.clear();
      this.#replayed.delete(replayed.id);
    }
  }

  clear(): void {
    for (const room of this.#rooms.values()) {
      while (this.takeWaiting(room) !== undefined);
      room.clear();
    }
    for (const replayed of this.#replayed.values()) replayed.clear();
    this.#countRooms(-this.#rooms.size);
    this.#rooms.clear();
    this.#replayed.clear();
  }

  #countRooms(by: number): void {
    this.#memory.rooms += by;
    this.#memory.account.add("rooms", by * ROOM_BYTES);
  }

  #mayPassivate(room: Room, idleMs: Millis): boolean {
    if (room.waiting.length > 0 || this.#pendingHeads.has(room)) return false;
    if (room.phase.kind === "queued") return idleMs >= UNLOADED_MS; // room-table.2
    return idleMs >= this.#memory.idleMs && room.isSettled; // P12
  }

  /** room-table.2: nothing waits for it any more, unless it is owed. One that is being loaded is left to it. */
  #release(room: Room): void {
    if (room.phase.kind !== "queued" || room.waiting.length > 0 || this.#pendingHeads.has(room))
      return;
    this.#loads.drop(room);
  }
}

function isBehind(room: Room, from: UserId): boolean {
  return room.waiting.some(({ command }) => command.op === "send" && command.from === from);
}

/** Its text, two bytes a unit, and what it is beside that. */
function bytesOf({ command }: Arrival): number {
  const body = command.op === "send" ? JSON.stringify(command.body).length : 0;
  return ARRIVAL_BYTES + 2 * body;
}

function requesterOf({ gateway, command }: Arrival): Requester {
  if (command.op === "send") return command.from;
  return command.op === "join" || command.op === "leave" ? command.user : gateway;
}
