// Talker: one client of a chaos run, in several rooms, through any fault, that records all of it.
//
// Speaks the wire itself instead of using our SDK: what it sees is what a stranger's client would.
// Owns: its connection, its outbox, its cursors. Does not own: when something is to be said.
//
//   wire-client.1. Every send is invoked until it is acknowledged, always with the same id.
//   wire-client.2. On a new connection what nobody knows about is sent again before anything new, in order.
//   wire-client.3. What a connection had in flight when it was lost is recorded as lost, never as failed.
//   wire-client.4. It resumes each room behind the last number that it was shown.

import { WebSocket } from "ws";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { LOST } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { sumOf } from "../checker/sum.ts";
import { Outbox } from "./outbox.ts";

const SUBPROTOCOL = "parley.v1";
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 200;
/** A gateway that takes the connection and then says nothing. */
const WELCOME_WITHIN_MS = 6_000;
export interface Endpoint {
  /** Of the gateway, as the run knows it. */
  readonly name: string;
  readonly url: string;
}

export interface TalkerOptions {
  readonly user: UserId;
  readonly token: string;
  readonly endpoints: readonly Endpoint[];
  /** The endpoint to begin with; every lost connection goes on with the next. */
  readonly firstEndpoint: number;
  readonly rooms: readonly RoomId[];
  /** Milliseconds on the clock of the run. */
  readonly now: () => number;
  readonly record: (record: ClientRecord) => void;
  readonly onAck: (room: RoomId) => void;
  /** Its gateway leaves, and asks it to come back somewhere after so long. */
  readonly onReconnect?: (afterMs: number) => void;
  /** An answer that no well-behaved client should ever get. */
  readonly onSurprise: (what: string) => void;
}

interface Membership {
  seen: Seq;
  state: "wanted" | "joining" | "joined" | "leaving" | "away";
}

export class Talker {
  readonly #options: TalkerOptions;
  readonly #rooms = new Map<RoomId, Membership>();
  readonly #outbox = new Outbox();
  readonly #refs = new Map<number, { op: "join" | "leave" | "page"; room: RoomId }>();
  #socket: WebSocket | undefined;
  #endpoint: number;
  #conn = 0;
  #ref = 0;
  #isWelcome = false;
  #isClosed = false;
  #isPaused = false;
  #reconnectAfterMs = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: TalkerOptions) {
    this.#options = options;
    this.#endpoint = options.firstEndpoint;
    for (const room of options.rooms) this.#rooms.set(room, { seen: 0, state: "wanted" });
  }

  get user(): UserId {
    return this.#options.user;
  }

  get open(): number {
    return this.#outbox.size;
  }

  get skipped(): number {
    return this.#outbox.skipped;
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
    const { endpoints, token } = this.#options;
    const endpoint = endpoints[this.#endpoint % endpoints.length];
    if (endpoint === undefined) return;
    const socket = new WebSocket(endpoint.url, SUBPROTOCOL, { perMessageDeflate: false });
    this.#socket = socket;
    this.#conn++;
    const timer = setTimeout(() => socket.terminate(), WELCOME_WITHIN_MS);
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
    socket.on("message", (data: Buffer) => {
      if (!this.#isWelcome) {
        clearTimeout(timer);
        this.#isWelcome = true;
        this.#record({ op: "open", phase: "ok", via: endpoint.name });
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
    this.#outbox.say(room, body, isSummed);
    this.#pump();
  }

  /** Sends again what was acknowledged; the answer must be the old one (I6). */
  repeat(): void {
    this.#outbox.repeat();
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
    if (membership?.state !== "joined" || this.#outbox.holds(room)) return;
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

  /** Drops its connection in the middle of everything and comes back through the next endpoint. */
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
        this.#options.onReconnect?.(this.#reconnectAfterMs);
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
    const { room } = post;
    this.#record({ op: "send", phase: "ok", room, id, seq });
    this.#outbox.acknowledged(post);
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
      this.#outbox.refused(post, this.#options.now() + afterMs);
      setTimeout(() => this.#pump(), afterMs + 1);
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
    for (const { id, room } of this.#outbox.lost()) {
      this.#record({ op: "send", phase: "info", room, id, err: LOST }); // wire-client.3
    }
    for (const [ref, { op, room }] of this.#refs) {
      if (op === "page") this.#record({ op, phase: "info", room, ref, err: LOST });
      else this.#record({ op, phase: "info", room, err: LOST });
    }
    this.#refs.clear();
    for (const membership of this.#rooms.values()) {
      if (membership.state !== "away") membership.state = "wanted";
    }
    this.#record({ op: "close", phase: this.#isClosed ? "ok" : "info", err: String(code) });
    this.#isWelcome = false;
    if (this.#isClosed) return;
    this.#endpoint++;
    const afterMs = RECONNECT_MIN_MS + Math.random() * RECONNECT_SPREAD_MS;
    this.#retry = setTimeout(() => this.connect(), Math.max(this.#reconnectAfterMs, afterMs));
    this.#reconnectAfterMs = 0;
  }

  /** wire-client.1, wire-client.2: in the order of the first send; what was refused waits for its time. */
  #pump(): void {
    if (!this.#isWelcome || this.#isPaused) return;
    const now = this.#options.now();
    for (const post of this.#outbox.due(now, (room) => this.has(room))) {
      const { id, room, body, isSummed } = post;
      const sum = isSummed && { sum: sumOf(body) };
      this.#record({ op: "send", phase: "invoke", room, id, ...sum });
      this.#write({ t: "send", room, id, body });
    }
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
