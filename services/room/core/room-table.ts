// Room table: the rooms of one tenure in memory, and when they are loaded and passivated.
//
// Owns: the rooms, the replayed rooms that are not loaded yet, the reasons to load a room, the
// timeout of waiting commands, passivation. Does not own: the effect of a command (tenure.ts,
// room.ts), the order of loads (room-loads.ts).
//
//   room-table.1. A room that was idle for IDLE_MS, is fully archived and has no waiting command is
//       passivated. It returns from the archive with the same head, ids and tail.
//   room-table.2. A room is loaded while a command waits for it, or while a gateway with members
//       waits for its head, and for no other reason. A room that is not needed is dropped
//       UNLOADED_MS after its last command. Until then it remembers the sends that it refused
//       (holds.ts).

import { behaviourOf, COMMANDS, isImport, isWrite } from "#shared/protocol/commands.ts";
import type { Write } from "#shared/protocol/commands.ts";
import type { LogSeq, Millis, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import { RoomLoads } from "./room-loads.ts";
import type { Requester } from "./room-loads.ts";
import { IDLE_MS } from "./room-memory.ts";
import type { RoomMemory } from "./room-memory.ts";
import { Room, WAITING_MAX } from "./room.ts";
import type { Arrival } from "./room.ts";

/**
 * Messages published up to 6 s before a disconnect is noticed are lost. This adds a reserve.
 */
export const UNDELIVERED_MS = 15_000;
/** A room that could not be loaded is kept this long after its last command. */
export const UNLOADED_MS = 15_000;
/**
 * Rooms that one housekeeping examines, so that a hundred thousand rooms do not block the event
 * loop.
 */
const HOUSEKEEP_ROOMS = 512;
/** The memory of a room without its lines and ids. */
const ROOM_BYTES = 1_280;
const ARRIVAL_BYTES = 768;

export class RoomTable {
  readonly #memory: RoomMemory;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #replayed: Map<RoomId, ReplayedRoom>;
  readonly #loads = new RoomLoads();
  /** Rooms with waiting commands. */
  readonly #withWaiting = new Set<Room>();
  /** Rooms that are not loaded, and the gateways that wait for their heads. */
  readonly #pendingHeads = new Map<Room, Set<ProcessId>>();
  #housekeeping = this.#rooms.values();
  #replayedTurn: MapIterator<ReplayedRoom>;
  /** The time of the first housekeeping. */
  #beganAt: Millis | undefined;

  constructor(memory: RoomMemory, replayed: ReadonlyMap<RoomId, ReplayedRoom>) {
    this.#memory = memory;
    this.#replayed = new Map(replayed);
    this.#replayedTurn = this.#replayed.values();
  }

  /** No room is in memory, also none that was replayed. */
  get isEmpty(): boolean {
    return this.#rooms.size === 0 && this.#replayed.size === 0;
  }

  get(id: RoomId): Room | undefined {
    return this.#rooms.get(id);
  }

  /**
   * The room, created if it is not in memory. It is loaded when a command or a gateway waits for
   * it.
   */
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

  /** The heads of the replayed rooms, and of the loaded rooms that were used since `since`. */
  *headsSince(since: Millis): Generator<[RoomId, Seq]> {
    yield* this.replayedHeads();
    for (const { id, head, isLoaded, usedAt } of this.#rooms.values()) {
      if (isLoaded && usedAt >= since && head > 0) yield [id, head];
    }
  }

  /**
   * Returns false when a bound is reached and the command must not wait. A leave always waits,
   * because the number of memberships bounds leaves. A write that has earlier writes of its order
   * waiting here waits without its content, and is refused after them (O4).
   */
  wait(room: Room, arrival: Arrival): boolean {
    const { command } = arrival;
    const isFull = room.waiting.length >= WAITING_MAX || this.#memory.isFull;
    if (!isFull || !COMMANDS[command.op].isRefusable) this.#wait(room, arrival);
    else if (isWrite(command) && isBehind(room, command)) {
      const empty = behaviourOf(command).hold.empty(command);
      this.#wait(room, { ...arrival, command: empty, isRefused: true });
    } else return false;
    return true;
  }

  #wait(room: Room, command: Arrival): void {
    room.waiting.push(command);
    this.#memory.account.add("waiting", bytesOf(command));
    this.#withWaiting.add(room);
    this.#loads.request(room, requesterOf(command));
  }

  /** Removes the command that has waited longest for the room. */
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

  /** The rooms to load from the archive now. */
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

  /** A gateway is gone: drops its waiting commands and its requests for heads. */
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

  /** Removes and returns the commands that arrived before `limit`. */
  expireWaiting(limit: Millis): Arrival[] {
    const expired: Arrival[] = [];
    for (const room of this.#withWaiting) {
      while ((room.waiting[0]?.arrivedAt ?? Infinity) < limit) {
        const first = this.takeWaiting(room);
        if (first !== undefined) expired.push(first);
      }
      if (room.waiting.length > 0) continue;
      this.#withWaiting.delete(room);
      this.#release(room);
    }
    return expired;
  }

  /** Prunes ids and passivates idle rooms (P12), a part of the table at a time. */
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

  /**
   * Drops archived replayed rooms that were not opened in this tenure; they load like other rooms
   * (P12).
   */
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
      // A room that is being loaded keeps its replay: the snapshot on the way may be older than the
      // watermark (P25).
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

  /**
   * room-table.2: cancels the load of a room that is no longer needed. A load that has begun
   * continues.
   */
  #release(room: Room): void {
    if (room.phase.kind !== "queued" || room.waiting.length > 0 || this.#pendingHeads.has(room))
      return;
    this.#loads.drop(room);
  }
}

function isBehind(room: Room, write: Write): boolean {
  const order = behaviourOf(write).order(write);
  if (order === "") return false;
  return room.waiting.some(({ command }) => behaviourOf(command).order(command) === order);
}

/** The command with its content at two bytes per unit. */
function bytesOf({ command }: Arrival): number {
  if (isImport(command)) return ARRIVAL_BYTES + 2 * JSON.stringify(command.events).length;
  if (!isWrite(command)) return ARRIVAL_BYTES;
  return ARRIVAL_BYTES + 2 * JSON.stringify(behaviourOf(command).hold.content(command)).length;
}

function requesterOf({ gateway, command }: Arrival): Requester {
  return behaviourOf(command).user(command) ?? gateway;
}
