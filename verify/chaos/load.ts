// Load: what the clients of a chaos run do. It runs in the generator's process.
//
// Owns: the clients, the schedule (open loop: a late tick sends every due message), the paused
// readers, the file of records. Does not own: the faults, the judgement.
//
//   load.1. Every room has `perRoom` members. They send its messages in turns.
//   load.2. Beside the messages, the clients page through history, leave and rejoin rooms, repeat
//        old ids, and move to another gateway, so that no gateway is without clients for long.
//   load.3. Paused readers join a room of their own, read nothing while the load floods it, and
//        then read all of it.
//   load.4. Guests join for a while: each reads one room and sends in it. They leave when all that
//        they sent is acknowledged.
//   load.5. In each closed room one member sends and reads pages of messages, and guests are
//        removed and invited again (closed-room.ts). In every second one there is a slow mode from
//        time to time: the member then sends one message after the other. All of them say what
//        they have read and ask for their room list (list-readers.ts).

import { closeSync, openSync, writeSync } from "node:fs";
import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { encodeRecord } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { until } from "#shared/testing/wait.ts";
import { ResendingClient } from "../wire-client/resending-client.ts";
import type { Endpoint, RoomStart, WireClientHooks } from "../wire-client/wire-client-options.ts";
import { ClosedRoom } from "./closed-room.ts";
import { ListReaders } from "./list-readers.ts";
import { runNow } from "./run-clock.ts";

export interface LoadOptions {
  readonly seed: number;
  readonly endpoints: readonly Endpoint[];
  readonly rooms: number;
  readonly perRoom: number;
  readonly roomsPerClient: number;
  /** Messages per second, over all rooms. */
  readonly rate: number;
  /** The first clients, which also send ids from an hour ago; default: all of them. */
  readonly oldIdClients?: number;
  /** Rooms with members; default: none, for clusters that run a version without them. */
  readonly closedRooms?: number;
  /** The load appends its records to this file. */
  readonly file: string;
}

export interface LoadState {
  readonly acked: number;
  /** Sends without an acknowledgement. */
  readonly pending: number;
  readonly skipped: number;
  /** Every client has joined its rooms. */
  readonly isJoined: boolean;
  /** Rooms that the load floods or flooded: grows when the readers are paused. */
  readonly floods: number;
  /** Paused readers that have not read their room to its head yet. */
  readonly behind: number;
  /** Clients that are connected the whole time, without guests. */
  readonly clients: number;
  /** Guests that are connected, and whether all of them have joined their room. */
  readonly guests: number;
  readonly isJoinedByGuests: boolean;
  /** Clients that asked for their last room list and wait for it. */
  readonly unlisted: number;
  readonly surprises: readonly string[];
  /** The largest lateness of the schedule since the last report, in milliseconds. */
  readonly slipMs: number;
  /** The longest time since the last acknowledgement of a room. */
  readonly quietMs: number;
}

type TokenOf = (user: UserId) => Promise<string>;

const TICK_MS = 5;
const FLUSH_BYTES = 64 * 1024;
const PAGE_EVERY_MS = 200;
const LEAVE_EVERY_MS = 1_500;
const AWAY_MS = 2_000;
const REPEAT_EVERY_MS = 500;
const MOVE_EVERY_MS = 1_000;
const PAGE_EVENTS = 50;
const SURPRISES_MAX = 20;
/** Large enough that the sockets of the paused readers overflow within a few seconds. */
const FLOOD_EVERY_MS = 20;
const GUEST_EVERY_MS = 2_000;
const CLOSED_GUESTS = 3;
const SPEAK_EVERY_MS = 100;
const VIEW_EVERY_MS = 400;
const VIEW_MESSAGES = 20;
const CREATED_WITHIN_MS = 60_000;
const FLOOD_BODY = "z".repeat(10_000);
const OUTBOX = {
  inFlightMax: 60, // The protocol allows 64. The margin is for answers under way.
  sizeMax: 400,
  oldIdEvery: 50,
  repeatableMax: 200,
} as const;

export class Load {
  readonly #options: LoadOptions;
  readonly #random: Random;
  readonly #clients: ResendingClient[] = [];
  readonly #members = new Map<RoomId, ResendingClient[]>();
  readonly #rooms: RoomId[];
  readonly #file: number;
  readonly #ackedAt = new Map<RoomId, number>();
  readonly #surprises: string[] = [];
  #flood:
    | {
        readonly room: RoomId;
        readonly readers: ResendingClient[];
        readonly flooder: ResendingClient;
      }
    | undefined;
  #floods = 0;
  #guests: { readonly client: ResendingClient; readonly sending: NodeJS.Timeout }[] = [];
  #guestsAdded = 0;
  readonly #closed: { readonly closed: ClosedRoom; readonly speaker: ResendingClient }[] = [];
  readonly #listReaders = new ListReaders();
  #views = 0;
  #buffer: string[] = [];
  #bytes = 0;
  #acked = 0;
  #sent = 0;
  #beganAt = 0;
  #isOpen = false;
  #slipMs = 0;
  #timers: NodeJS.Timeout[] = [];
  #flooding: NodeJS.Timeout | undefined;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#rooms = Array.from({ length: options.rooms }, (_, i) => `room-${i}` as RoomId);
    this.#file = openSync(options.file, "a");
  }

  /** Connects every client. `state.isJoined` reports when all have joined their rooms. */
  async open(tokenOf: TokenOf): Promise<void> {
    const { rooms, perRoom, roomsPerClient } = this.#options;
    const clients = Math.ceil((rooms * perRoom) / roomsPerClient);
    for (let i = 0; i < clients; i++) {
      const own = this.#rooms.filter((_, r) => {
        for (let k = 0; k < perRoom; k++) if ((r + k * 7) % clients === i) return true;
        return false;
      });
      const client = await this.#client(`client-${i}` as UserId, own, tokenOf);
      this.#clients.push(client);
      for (const room of own) {
        this.#members.set(room, [...(this.#members.get(room) ?? []), client]);
      }
      client.wire.connect();
    }
    for (let i = 0; i < (this.#options.closedRooms ?? 0); i++) await this.#openClosed(i, tokenOf);
    this.#isOpen = true;
  }

  /** load.5. */
  async #openClosed(i: number, tokenOf: TokenOf): Promise<void> {
    const room = `closed-${i}` as RoomId;
    const closed = new ClosedRoom(room, this.#random, { isSlow: i % 2 === 1 });
    const start = [{ room, isClosed: true }];
    const manager = await this.#client(`manager-${i}` as UserId, start, tokenOf, closed.hooks);
    const speaker = await this.#client(`speaker-${i}` as UserId, start, tokenOf);
    this.#closed.push({ closed, speaker });
    const guests: ResendingClient[] = [];
    for (let k = 0; k < CLOSED_GUESTS; k++) {
      const user = `closed-guest-${i}-${k}` as UserId;
      guests.push(await this.#client(user, start, tokenOf, closed.hooksOf(user)));
    }
    manager.wire.connect();
    closed.create(
      manager.wire,
      [speaker, ...guests].map(({ wire }) => wire.user),
    );
    const what = `the closed room ${room}`;
    await until(() => closed.isCreated, { withinMs: CREATED_WITHIN_MS, what });
    for (const { wire } of guests) closed.addGuest(wire);
    for (const { wire } of [speaker, ...guests]) wire.connect();
    for (const { wire } of [manager, speaker, ...guests]) this.#listReaders.add(wire, room);
    this.#clients.push(manager, speaker, ...guests);
  }

  /** load.2: begins to send. */
  start(): void {
    this.#beganAt = runNow();
    for (const room of this.#rooms) this.#ackedAt.set(room, this.#beganAt);
    this.#every(TICK_MS, () => this.#sendDue());
    this.#every(PAGE_EVERY_MS, () => this.#page());
    this.#every(LEAVE_EVERY_MS, () => this.#leaveAndRejoin());
    this.#every(REPEAT_EVERY_MS, () => this.#pick(this.#clients).repeat(1));
    this.#every(MOVE_EVERY_MS, () => this.#pick(this.#clients).wire.dropConnection());
    this.#every(TICK_MS * 4, () => this.flush());
    for (const { closed, speaker } of this.#closed) {
      closed.start();
      this.#every(SPEAK_EVERY_MS, () => {
        if (closed.isSlow && speaker.pending > 0) return;
        speaker.send(closed.room, { text: "to the members" });
      });
      this.#every(VIEW_EVERY_MS, () => this.#view(closed, speaker));
    }
    this.#listReaders.start();
  }

  /** Creates no new messages. The clients resend the pending ones until they are acknowledged. */
  finish(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearInterval(this.#flooding);
    this.#timers = [];
    for (const { closed } of this.#closed) closed.finish();
    this.#listReaders.stop();
    this.#every(TICK_MS * 4, () => this.flush());
    for (const client of this.#clients) {
      for (const room of this.#rooms) client.wire.rejoin(room);
      client.repeat(1);
    }
  }

  /** Asks for the last room lists, which `state.unlisted` counts. */
  listLast(): void {
    this.#listReaders.askLast();
  }

  /** load.3. Pauses `count` new readers; the flood lasts until `resumeReaders`. */
  async pauseReaders(count: number, tokenOf: TokenOf): Promise<void> {
    const n = this.#floods + 1;
    const room = `flood-${n}` as RoomId;
    const flooder = await this.#client(`flooder-${n}` as UserId, [room], tokenOf);
    flooder.wire.connect();
    const readers: ResendingClient[] = [];
    for (let i = 0; i < count; i++) {
      const reader = await this.#client(`paused-${n}-${i}` as UserId, [room], tokenOf);
      reader.wire.connect();
      readers.push(reader);
    }
    this.#flood = { room, readers, flooder };
    this.#clients.push(flooder, ...readers);
    const begin = setInterval(() => {
      if (![flooder, ...readers].every(({ wire }) => wire.isJoined)) return;
      clearInterval(begin);
      for (const { wire } of readers) wire.pauseReading();
      this.#floods = n;
      this.#flooding = setInterval(
        () => flooder.send(room, { text: FLOOD_BODY }, { isBulk: true }),
        FLOOD_EVERY_MS,
      );
    }, TICK_MS);
  }

  resumeReaders(): void {
    clearInterval(this.#flooding);
    for (const { wire } of this.#flood?.readers ?? []) wire.resumeReading();
  }

  /** load.4. */
  async addGuests(count: number, tokenOf: TokenOf): Promise<void> {
    for (let i = 0; i < count; i++) {
      const n = this.#guestsAdded++;
      const room = this.#rooms[n % this.#rooms.length] as RoomId;
      const client = await this.#client(`guest-${n}` as UserId, [room], tokenOf);
      client.wire.connect();
      const send = (): void => client.send(room, { text: `a message of ${client.wire.user}` });
      this.#guests.push({ client, sending: setInterval(send, GUEST_EVERY_MS) });
    }
  }

  /** load.4. `state.guests` reports when all have left. */
  removeGuests(): void {
    for (const { sending } of this.#guests) clearInterval(sending);
    const leaving = setInterval(() => {
      for (const { client } of this.#guests) if (client.pending === 0) client.wire.close();
      this.#guests = this.#guests.filter(({ client }) => client.pending > 0);
      if (this.#guests.length === 0) clearInterval(leaving);
    }, TICK_MS);
  }

  state(): LoadState {
    const now = runNow();
    let pending = 0;
    let skipped = 0;
    for (const client of this.#clients) {
      pending += client.pending;
      skipped += client.skipped;
    }
    for (const { closed } of this.#closed) pending += closed.pending;
    const slipMs = this.#slipMs;
    this.#slipMs = 0;
    return {
      acked: this.#acked,
      pending,
      skipped,
      isJoined: this.#isOpen && this.#clients.every(({ wire }) => wire.isJoined),
      floods: this.#floods,
      behind: this.#behind(),
      clients: this.#clients.length,
      guests: this.#guests.length,
      isJoinedByGuests: this.#guests.every(({ client }) => client.wire.isJoined),
      unlisted: this.#listReaders.pending,
      surprises: this.#surprises,
      slipMs,
      quietMs: now - Math.min(now, ...this.#ackedAt.values()),
    };
  }

  close(): void {
    for (const { wire } of this.#clients) wire.close();
  }

  flush(): void {
    if (this.#buffer.length === 0) return;
    writeSync(this.#file, this.#buffer.join(""));
    this.#buffer = [];
    this.#bytes = 0;
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const { closed } of this.#closed) closed.end();
    this.#listReaders.stop();
    this.flush();
    closeSync(this.#file);
  }

  async #client(
    user: UserId,
    rooms: readonly (RoomId | RoomStart)[],
    tokenOf: TokenOf,
    hooks: WireClientHooks = {},
  ): Promise<ResendingClient> {
    const { endpoints, oldIdClients = Infinity } = this.#options;
    const first = this.#clients.length;
    const oldIdEvery = first < oldIdClients ? OUTBOX.oldIdEvery : 0;
    return new ResendingClient({
      user,
      token: await tokenOf(user),
      // After a lost connection the client connects to the next endpoint.
      endpoint: (n) => endpoints[(first + n) % endpoints.length] as Endpoint,
      rooms: rooms.map((start) => (typeof start === "string" ? { room: start } : start)),
      now: runNow,
      recordsPresence: true,
      outbox: { ...OUTBOX, oldIdEvery },
      hooks: {
        ...hooks,
        onRecord: (record) => this.#record(record),
        onAck: (room, id, seq) => {
          hooks.onAck?.(room, id, seq);
          this.#acked++;
          if (this.#ackedAt.has(room)) this.#ackedAt.set(room, runNow());
        },
        onSurprise: (what) => {
          if (this.#surprises.length < SURPRISES_MAX) this.#surprises.push(what);
        },
      },
    });
  }

  #behind(): number {
    if (this.#flood === undefined) return 0;
    const { room, readers, flooder } = this.#flood;
    const head = flooder.wire.seen(room);
    return readers.filter(({ wire }) => wire.seen(room) < head).length;
  }

  #sendDue(): void {
    const { rate } = this.#options;
    const due = Math.floor(((runNow() - this.#beganAt) / 1_000) * rate);
    this.#slipMs = Math.max(this.#slipMs, ((due - this.#sent) / rate) * 1_000);
    for (; this.#sent < due; this.#sent++) {
      const room = this.#rooms[this.#sent % this.#rooms.length];
      const members = room === undefined ? [] : (this.#members.get(room) ?? []);
      const turn = Math.floor(this.#sent / this.#rooms.length);
      const order = members.map((_, i) => members[(turn + i) % members.length]);
      const client = order.find((member) => member?.wire.has(room as RoomId)) ?? order[0];
      client?.send(room as RoomId, { text: `message ${this.#sent} of ${client.wire.user}` });
    }
  }

  #page(): void {
    const room = this.#pick(this.#rooms);
    const [client] = this.#members.get(room) ?? [];
    const seen = client?.wire.seen(room) ?? 0;
    if (seen > 0) client?.wire.page(room, below(this.#random, seen), PAGE_EVENTS);
  }

  /** The main line and a thread in turns. */
  #view({ room, thread }: ClosedRoom, { wire }: ResendingClient): void {
    this.#views++;
    wire.view(room, VIEW_MESSAGES, this.#views % 2 === 0 ? thread : undefined);
  }

  #leaveAndRejoin(): void {
    const room = this.#pick(this.#rooms);
    const client = this.#members.get(room)?.at(-1);
    client?.leave(room);
    setTimeout(() => client?.wire.rejoin(room), AWAY_MS);
  }

  #pick<T>(from: readonly T[]): T {
    return from[below(this.#random, from.length)] as T;
  }

  #every(ms: number, run: () => void): void {
    this.#timers.push(setInterval(run, ms));
  }

  #record(record: ClientRecord): void {
    if (record.op === "list") this.#listReaders.onList(record);
    const line = `${encodeRecord(record)}\n`;
    this.#buffer.push(line);
    this.#bytes += line.length;
    if (this.#bytes > FLUSH_BYTES) this.flush();
  }
}
