// Load: what the clients of a chaos run do, moment by moment, in the generator's process.
//
// Owns: the talkers, the schedule (open loop: a late turn sends what is due), the sleepers. Does not
// own: faults, and any judgement.
//
//   load.1. Every room has `perRoom` members, and its messages come from each of them in turn.
//   load.2. Beside talking, somebody always pages history, leaves a room and comes back, repeats an old
//        id, and moves to another gateway (so that none is without clients for long).
//   load.3. Sleepers join a room of their own, read nothing while it floods, and then read it all.

import { closeSync, openSync, writeSync } from "node:fs";
import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeRecord } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { runNow } from "./run-clock.ts";
import { Talker } from "../wire-client/wire-client.ts";
import type { Endpoint } from "../wire-client/wire-client.ts";

export interface LoadOptions {
  readonly seed: number;
  readonly endpoints: readonly Endpoint[];
  readonly rooms: number;
  readonly perRoom: number;
  readonly roomsPerClient: number;
  /** Messages per second, over all rooms. */
  readonly rate: number;
  /** Records go there, appended. */
  readonly file: string;
}

export interface LoadState {
  readonly acked: number;
  readonly open: number;
  readonly skipped: number;
  readonly isIn: boolean;
  /** Rooms that were or are flooded: grows when the sleepers sleep. */
  readonly floods: number;
  /** Sleepers that have not yet read their room to its end. */
  readonly asleep: number;
  readonly surprises: readonly string[];
  /** The worst lateness of the schedule since the last time, in milliseconds. */
  readonly slipMs: number;
  /** How long ago the room that waits longest had its last acknowledgement. */
  readonly quietMs: number;
}

const TURN_MS = 5;
const FLUSH_BYTES = 64 * 1024;
const PAGE_EVERY_MS = 200;
const LEAVE_EVERY_MS = 1_500;
const AWAY_MS = 2_000;
const REPEAT_EVERY_MS = 500;
const MOVE_EVERY_MS = 1_000;
const PAGE_EVENTS = 50;
const SURPRISES_MAX = 20;
/** A sleeper's room: enough for its socket's buffers to overflow in a few seconds. */
const FLOOD_EVERY_MS = 20;
const FLOOD_BODY = "z".repeat(10_000);

export class Load {
  readonly #options: LoadOptions;
  readonly #random: Random;
  readonly #talkers: Talker[] = [];
  readonly #members = new Map<RoomId, Talker[]>();
  readonly #rooms: RoomId[];
  readonly #file: number;
  readonly #ackedAt = new Map<RoomId, number>();
  readonly #surprises: string[] = [];
  #sleepers: { readonly room: RoomId; readonly talkers: Talker[]; flooder: Talker } | undefined;
  #floods = 0;
  #buffer: string[] = [];
  #bytes = 0;
  #acked = 0;
  #said = 0;
  #beganAt = 0;
  #slipMs = 0;
  #timers: NodeJS.Timeout[] = [];
  #flood: NodeJS.Timeout | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#rooms = Array.from({ length: options.rooms }, (_, i) => `room-${i}` as RoomId);
    this.#file = openSync(options.file, "a");
  }

  /** Connects everybody; resolves at once, `state.isIn` says when all are in. */
  async open(tokenOf: (user: UserId) => Promise<string>): Promise<void> {
    const { rooms, perRoom, roomsPerClient } = this.#options;
    const clients = Math.ceil((rooms * perRoom) / roomsPerClient);
    for (let i = 0; i < clients; i++) {
      const own = this.#rooms.filter((_, r) => {
        for (let k = 0; k < perRoom; k++) if ((r + k * 7) % clients === i) return true;
        return false;
      });
      const talker = await this.#talker(`client-${i}` as UserId, own, tokenOf);
      this.#talkers.push(talker);
      for (const room of own) {
        this.#members.set(room, [...(this.#members.get(room) ?? []), talker]);
      }
      talker.connect();
    }
  }

  /** load.2: begins to talk. */
  start(): void {
    this.#beganAt = runNow();
    for (const room of this.#rooms) this.#ackedAt.set(room, this.#beganAt);
    this.#every(TURN_MS, () => this.#talk());
    this.#every(PAGE_EVERY_MS, () => this.#page());
    this.#every(LEAVE_EVERY_MS, () => this.#wander());
    this.#every(REPEAT_EVERY_MS, () => this.#pick(this.#talkers).repeat());
    this.#every(MOVE_EVERY_MS, () => this.#pick(this.#talkers).move());
    this.#every(TURN_MS * 4, () => this.flush());
  }

  /** Nothing new any more; what is open goes on until it is acknowledged. */
  finish(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearInterval(this.#flood);
    this.#timers = [];
    this.#every(TURN_MS * 4, () => this.flush());
    for (const talker of this.#talkers) {
      for (const room of this.#rooms) talker.comeBack(room);
      talker.repeat();
    }
  }

  /** load.3. Resolves when the sleepers are in and sleep; the flood goes on until `wake`. */
  async sleep(count: number, tokenOf: (user: UserId) => Promise<string>): Promise<void> {
    const n = this.#floods + 1;
    const room = `flood-${n}` as RoomId;
    const flooder = await this.#talker(`flooder-${n}` as UserId, [room], tokenOf);
    flooder.connect();
    const talkers: Talker[] = [];
    for (let i = 0; i < count; i++) {
      const sleeper = await this.#talker(`sleeper-${n}-${i}` as UserId, [room], tokenOf);
      sleeper.connect();
      talkers.push(sleeper);
    }
    this.#sleepers = { room, talkers, flooder };
    this.#talkers.push(flooder, ...talkers);
    const begin = setInterval(() => {
      if (!talkers.every((talker) => talker.isIn) || !flooder.isIn) return;
      clearInterval(begin);
      for (const sleeper of talkers) sleeper.sleep();
      this.#floods = n;
      this.#flood = setInterval(
        () => flooder.say(room, { text: FLOOD_BODY }, false),
        FLOOD_EVERY_MS,
      );
    }, TURN_MS);
  }

  wake(): void {
    clearInterval(this.#flood);
    for (const sleeper of this.#sleepers?.talkers ?? []) sleeper.wake();
  }

  state(): LoadState {
    const now = runNow();
    let open = 0;
    let skipped = 0;
    for (const talker of this.#talkers) {
      open += talker.open;
      skipped += talker.skipped;
    }
    const slipMs = this.#slipMs;
    this.#slipMs = 0;
    return {
      acked: this.#acked,
      open,
      skipped,
      isIn: this.#talkers.every((talker) => talker.isIn),
      floods: this.#floods,
      asleep: this.#asleep(),
      surprises: this.#surprises,
      slipMs,
      quietMs: now - Math.min(now, ...this.#ackedAt.values()),
    };
  }

  close(): void {
    for (const talker of this.#talkers) talker.close();
  }

  flush(): void {
    if (this.#buffer.length === 0) return;
    writeSync(this.#file, this.#buffer.join(""));
    this.#buffer = [];
    this.#bytes = 0;
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.flush();
    closeSync(this.#file);
  }

  async #talker(
    user: UserId,
    rooms: readonly RoomId[],
    tokenOf: (user: UserId) => Promise<string>,
  ): Promise<Talker> {
    const { endpoints } = this.#options;
    return new Talker({
      user,
      token: await tokenOf(user),
      endpoints,
      firstEndpoint: this.#talkers.length,
      rooms,
      now: runNow,
      record: (record) => this.#record(record),
      onAck: (room) => {
        this.#acked++;
        if (this.#ackedAt.has(room)) this.#ackedAt.set(room, runNow());
      },
      onSurprise: (what) => {
        if (this.#surprises.length < SURPRISES_MAX) this.#surprises.push(what);
      },
    });
  }

  #asleep(): number {
    const { room, talkers, flooder } = this.#sleepers ?? {};
    if (room === undefined || talkers === undefined) return 0;
    const head = flooder?.seen(room) ?? 0;
    return talkers.filter((talker) => talker.seen(room) < head).length;
  }

  #talk(): void {
    const { rate } = this.#options;
    const due = Math.floor(((runNow() - this.#beganAt) / 1_000) * rate);
    this.#slipMs = Math.max(this.#slipMs, ((due - this.#said) / rate) * 1_000);
    for (; this.#said < due; this.#said++) {
      const room = this.#rooms[this.#said % this.#rooms.length];
      const members = room === undefined ? [] : (this.#members.get(room) ?? []);
      const turn = Math.floor(this.#said / this.#rooms.length);
      const order = members.map((_, i) => members[(turn + i) % members.length]);
      const talker = order.find((member) => member?.has(room as RoomId)) ?? order[0];
      talker?.say(room as RoomId, { text: `${talker.user} says ${this.#said}` });
    }
  }

  #page(): void {
    const room = this.#pick(this.#rooms);
    const [talker] = this.#members.get(room) ?? [];
    const seen = talker?.seen(room) ?? 0;
    if (seen > 0) talker?.page(room, below(this.#random, seen), PAGE_EVENTS);
  }

  #wander(): void {
    const room = this.#pick(this.#rooms);
    const talker = this.#members.get(room)?.at(-1);
    talker?.leave(room);
    setTimeout(() => talker?.comeBack(room), AWAY_MS);
  }

  #pick<T>(from: readonly T[]): T {
    return from[below(this.#random, from.length)] as T;
  }

  #every(ms: number, run: () => void): void {
    this.#timers.push(setInterval(run, ms));
  }

  #record(record: ClientRecord): void {
    const line = `${encodeRecord(record)}\n`;
    this.#buffer.push(line);
    this.#bytes += line.length;
    if (this.#bytes > FLUSH_BYTES) this.flush();
  }
}
