// Talker: one client of a chaos run, in several rooms, through any fault, that records all of it.
//
// Speaks the wire itself instead of using our SDK: what it sees is what a stranger's client would.
// Owns: its connection, its outbox, its cursors. Does not own: when something is to be said.
//
//   TK1. Every send is invoked until it is acknowledged, always with the same id.
//   TK2. On a new connection what nobody knows about is sent again before anything new, in order.
//   TK3. What a connection had in flight when it was lost is recorded as lost, never as failed.
//   TK4. It resumes each room behind the last number that it was shown.
//   TK5. Its outbox is bounded: beyond OUTBOX_MAX a new message is not made, and counted.

import { WebSocket } from "ws";
import { systemRandom } from "#shared/adapters/clock-system.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../check/record.ts";
import type { ClientRecord } from "../check/record.ts";
import { sumOf } from "../check/sum.ts";

const SUBPROTOCOL = "parley.v1";
/** The protocol allows 64; a margin for answers that are on their way. */
const IN_FLIGHT_MAX = 60;
export const OUTBOX_MAX = 400;
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 200;
/** A gateway that takes the connection and then says nothing. */
const WELCOME_WITHIN_MS = 6_000;
/** Answered long ago, kept to be asked again (I6). */
const OLD_MAX = 200;

export interface Door {
  /** Of the gateway, as the run knows it. */
  readonly name: string;
  readonly url: string;
}

export interface TalkerOptions {
  readonly user: UserId;
  readonly token: string;
  readonly doors: readonly Door[];
  /** The door to begin with; every lost connection goes on with the next. */
  readonly firstDoor: number;
  readonly rooms: readonly RoomId[];
  /** Milliseconds on the clock of the run. */
  readonly now: () => number;
  readonly record: (record: ClientRecord) => void;
  readonly onAck: (room: RoomId) => void;
  /** An answer that no well-behaved client should ever get. */
  readonly onSurprise: (what: string) => void;
}

interface Post {
  readonly room: RoomId;
  readonly body: object;
  readonly isSummed: boolean;
  state: "waiting" | "in-flight";
  /** Not again before; after a refusal. */
  notBefore: number;
}

interface Membership {
  seen: Seq;
  state: "wanted" | "joining" | "joined" | "leaving" | "away";
}

export class Talker {
  readonly #options: TalkerOptions;
  readonly #rooms = new Map<RoomId, Membership>();
  readonly #outbox = new Map<MessageId, Post>();
  readonly #old: { id: MessageId; room: RoomId; body: object }[] = [];
  readonly #refs = new Map<number, { op: "join" | "leave" | "page"; room: RoomId }>();
  #socket: WebSocket | undefined;
  #door: number;
  #conn = 0;
  #ref = 0;
  #inFlight = 0;
  #isWelcome = false;
  #isClosed = false;
  #isPaused = false;
  #reconnectAfterMs = 0;
  #retry: NodeJS.Timeout | undefined;
  skipped = 0;

  constructor(options: TalkerOptions) {
    this.#options = options;
    this.#door = options.firstDoor;
    for (const room of options.rooms) this.#rooms.set(room, { seen: 0, state: "wanted" });
  }

  get user(): UserId {
    return this.#options.user;
  }

  get open(): number {
    return this.#outbox.size;
  }

  /** Every room that it wants is joined. */
  get isIn(): boolean {
    return [...this.#rooms.values()].every(({ state }) => state === "joined" || state === "away");
  }

  seen(room: RoomId): Seq {
    return this.#rooms.get(room)?.seen ?? 0;
  }

  has(room: RoomId): boolean {
    return this.#rooms.get(room)?.state === "joined";
  }

  connect(): void {
    if (this.#isClosed) return;
    const { doors, token } = this.#options;
    const door = doors[this.#door % doors.length];
    if (door === undefined) return;
    const socket = new WebSocket(door.url, SUBPROTOCOL, { perMessageDeflate: false });
    this.#socket = socket;
    this.#conn++;
    const timer = setTimeout(() => socket.terminate(), WELCOME_WITHIN_MS);
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
    socket.on("message", (data: Buffer) => {
      if (!this.#isWelcome) {
        clearTimeout(timer);
        this.#isWelcome = true;
        this.#record({ op: "open", phase: "ok", via: door.name });
        for (const room of this.#rooms.keys()) this.#join(room);
      }
      for (const line of data.toString().split("\n")) this.#onLine(line);
    });
    socket.on("error", () => undefined); // "close" follows, and says all that is to be known.
    socket.on("close", (code) => {
      clearTimeout(timer);
      this.#onClosed(code);
    });
  }

  say(room: RoomId, body: object, isSummed = true): void {
    if (this.#outbox.size >= OUTBOX_MAX) {
      this.skipped++; // TK5
      return;
    }
    const id = uuidv7(Date.now(), systemRandom);
    this.#outbox.set(id, { room, body, isSummed, state: "waiting", notBefore: 0 });
    this.#pump();
  }

  /** Sends again what was acknowledged; the answer must be the old one (I6). */
  repeat(): void {
    const old = this.#old.shift();
    if (old === undefined || this.#outbox.has(old.id)) return;
    const { id, room, body } = old;
    this.#outbox.set(id, { room, body, isSummed: true, state: "waiting", notBefore: 0 });
    this.#pump();
  }

  page(room: RoomId, after: Seq, limit: number): void {
    if (!this.#isWelcome) return;
    const ref = this.#request("page", room);
    this.#record({ op: "page", phase: "invoke", room, ref });
    this.#write({ t: "history", ref, room, after, limit });
  }

  /** Goes out of the room; `comeBack` ends that. */
  leave(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership?.state !== "joined" || this.#hasPosts(room)) return;
    membership.state = "leaving";
    this.#record({ op: "leave", phase: "invoke", room });
    this.#write({ t: "leave", ref: this.#request("leave", room), room });
  }

  comeBack(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership?.state !== "away") return;
    membership.state = "wanted";
    this.#join(room);
  }

  /** Drops its connection in the middle of everything and comes back through the next door. */
  move(): void {
    if (this.#isWelcome && !this.#isPaused) this.#socket?.terminate();
  }

  /** Reads nothing any more, until `wake`. */
  sleep(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  wake(): void {
    this.#isPaused = false;
    this.#socket?.resume();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  #hasPosts(room: RoomId): boolean {
    for (const post of this.#outbox.values()) if (post.room === room) return true;
    return false;
  }

  #request(op: "join" | "leave" | "page", room: RoomId): number {
    const ref = ++this.#ref;
    this.#refs.set(ref, { op, room });
    return ref;
  }

  #join(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership === undefined || !this.#isWelcome || membership.state !== "wanted") return;
    membership.state = "joining";
    const after = membership.seen;
    this.#record({ op: "join", phase: "invoke", room, after });
    this.#write({ t: "join", ref: this.#request("join", room), room, after });
  }

  #onLine(line: string): void {
    const frame = parseObject(line);
    if (frame === undefined) return;
    const room = frame["room"] as RoomId;
    switch (frame["t"]) {
      case "msg":
        return this.#onEvent(room, Number(frame["seq"]), frame["id"] as MessageId);
      case "ack":
        return this.#onAck(frame["id"] as MessageId, Number(frame["seq"]));
      case "joined":
        return this.#onJoined(room, frame);
      case "left":
        this.#refs.delete(Number(frame["ref"]));
        this.#record({ op: "leave", phase: "ok", room });
        this.#onLeft(room);
        return;
      case "caught-up":
        return this.#record({ op: "caught", room, seq: Number(frame["seq"]) });
      case "presence": {
        const { join, leave, here } = frame as { join?: UserId[]; leave?: UserId[]; here?: number };
        return this.#record({
          op: "here",
          room,
          ...(join && { join }),
          ...(leave && { leave }),
          ...(here !== undefined && { here }),
        });
      }
      case "page":
        return this.#onPage(room, frame);
      case "reconnect":
        this.#reconnectAfterMs = Number(frame["afterMs"] ?? 0);
        return;
      case "error":
        return this.#onError(frame);
      default: // welcome, pong, typing: nothing that a talker has to answer.
    }
  }

  #onEvent(room: RoomId, seq: Seq, id: MessageId): void {
    const membership = this.#rooms.get(room);
    if (membership !== undefined) membership.seen = seq;
    this.#record({ op: "see", room, seq, id });
  }

  #onJoined(room: RoomId, frame: JsonObject): void {
    const [from, head] = [Number(frame["from"]), Number(frame["head"])];
    this.#refs.delete(Number(frame["ref"]));
    this.#record({ op: "join", phase: "ok", room, from, head, born: String(frame["born"]) });
    const membership = this.#rooms.get(room);
    if (membership !== undefined) membership.state = "joined";
    this.#pump();
  }

  #onLeft(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership !== undefined) membership.state = "away";
  }

  #onAck(id: MessageId, seq: Seq): void {
    const post = this.#outbox.get(id);
    if (post === undefined) {
      this.#options.onSurprise(`an acknowledgement for ${id}, which is not open`);
      return;
    }
    const { room, body } = post;
    this.#record({ op: "send", phase: "ok", room, id, seq });
    if (post.state === "in-flight") this.#inFlight--;
    this.#outbox.delete(id);
    if (post.isSummed && this.#old.push({ id, room, body }) > OLD_MAX) this.#old.shift();
    this.#options.onAck(room);
    this.#pump();
  }

  #onPage(room: RoomId, frame: JsonObject): void {
    const ref = Number(frame["ref"]);
    this.#refs.delete(ref);
    const events = frame["events"] as { seq: Seq; id: MessageId }[];
    const ids = events.map((event) => event.id);
    this.#record({ op: "page", phase: "ok", room, ref, first: events[0]?.seq ?? 1, ids });
  }

  #onError(frame: JsonObject): void {
    const err = String(frame["name"]);
    // `busy` and `rate_limited` promise that nothing was done; `unavailable` promises nothing.
    const phase = err === "busy" || err === "rate_limited" ? "fail" : "info";
    const afterMs = Number(frame["afterMs"] ?? RECONNECT_SPREAD_MS);
    const id = frame["id"] as MessageId | undefined;
    const post = id === undefined ? undefined : this.#outbox.get(id);
    if (frame["retry"] !== true) this.#options.onSurprise(JSON.stringify(frame));
    if (id !== undefined && post !== undefined) {
      this.#record({ op: "send", phase, room: post.room, id, err });
      if (post.state === "in-flight") this.#inFlight--;
      post.state = "waiting";
      post.notBefore = this.#options.now() + afterMs;
      this.#pumpLater(afterMs);
      return;
    }
    const ref = Number(frame["ref"]);
    const request = this.#refs.get(ref);
    if (request === undefined) return;
    this.#refs.delete(ref);
    const { op, room } = request;
    if (op === "page") this.#record({ op, phase, room, ref, err });
    else this.#record({ op, phase, room, err });
    const membership = this.#rooms.get(room);
    if (op !== "join" || membership === undefined) return;
    membership.state = "wanted";
    setTimeout(() => this.#join(room), afterMs);
  }

  #onClosed(code: number): void {
    for (const [id, post] of this.#outbox) {
      if (post.state !== "in-flight") continue;
      post.state = "waiting";
      this.#record({ op: "send", phase: "info", room: post.room, id, err: LOST }); // TK3
    }
    for (const [ref, { op, room }] of this.#refs) {
      if (op === "page") this.#record({ op, phase: "info", room, ref, err: LOST });
      else this.#record({ op, phase: "info", room, err: LOST });
    }
    this.#refs.clear();
    this.#inFlight = 0;
    for (const membership of this.#rooms.values()) {
      if (membership.state !== "away") membership.state = "wanted";
    }
    this.#record({ op: "close", phase: this.#isClosed ? "ok" : "info", err: String(code) });
    this.#isWelcome = false;
    if (this.#isClosed) return;
    this.#door++;
    const afterMs = RECONNECT_MIN_MS + Math.random() * RECONNECT_SPREAD_MS;
    this.#retry = setTimeout(() => this.connect(), Math.max(this.#reconnectAfterMs, afterMs));
    this.#reconnectAfterMs = 0;
  }

  /** TK1, TK2: in the order of the first send; what was refused waits for its time. */
  #pump(): void {
    if (!this.#isWelcome || this.#isPaused || this.#inFlight >= IN_FLIGHT_MAX) return;
    const now = this.#options.now();
    for (const [id, post] of this.#outbox) {
      if (this.#inFlight >= IN_FLIGHT_MAX) return;
      if (post.state === "in-flight" || !this.has(post.room) || post.notBefore > now) continue;
      const { room, body } = post;
      post.state = "in-flight";
      this.#inFlight++;
      const sum = post.isSummed && { sum: sumOf(body) };
      this.#record({ op: "send", phase: "invoke", room, id, ...sum });
      this.#write({ t: "send", room, id, body });
    }
  }

  #pumpLater(afterMs: number): void {
    setTimeout(() => this.#pump(), afterMs + 1);
  }

  #write(frame: object): void {
    // A socket that is closing loses it, and "close" then makes it unknown: no harm, it comes again.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #record(what: OwnPart<ClientRecord>): void {
    const { user: client, now, record } = this.#options;
    record({ t: now(), client, conn: this.#conn, ...what });
  }
}

type OwnPart<R> = R extends ClientRecord ? Omit<R, "t" | "client" | "conn"> : never;
