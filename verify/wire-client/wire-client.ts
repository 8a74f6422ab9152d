// WireClient: one client that speaks the WebSocket protocol directly, without the SDK.
//
// Tests with this client see what any client sees that implements docs/protocol.md. Owns: the
// connection, the joined rooms with their cursors, the requests without an answer, the records of
// all of them. Does not own: which messages to send, and when to send one again
// (resending-client.ts, or the caller).
//
//   wire-client.1. A new connection resumes each room after the last sequence number that the
//        client received.
//   wire-client.2. A request that a lost connection left without an answer is recorded as LOST,
//        never as refused.
//   wire-client.3. The client records a request before its bytes leave, and an answer after its
//        bytes arrive.
//   wire-client.4. With `silenceMs`, a connection that delivers nothing for so long after the
//        client wrote to it is half-open: the client drops it and connects again.
//   wire-client.5. When `joined` names another birth, or a head below the cursor, the room was
//        recreated: the client leaves it, discards its cursor and joins again. In a room that was
//        empty at the join the birth is the id of event 1.
//   wire-client.6. A room whose `left` has no `ref`, or whose `join` was refused by rights, stays
//        left until `rejoin`.

import { WebSocket } from "ws";
import { parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { EVENT_KINDS, LOST } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { shownPageOf } from "../checker/shown-message.ts";

const SUBPROTOCOL = "parley.v1";
const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 200;
/** For a gateway that accepts the connection and then sends nothing. */
const WELCOME_WITHIN_MS = 6_000;
/** The wait before a retry when the error frame has no `afterMs`. */
const RETRY_MS = 200;

export interface Endpoint {
  /** The gateway's name in the records. */
  readonly name: string;
  /** `ws://…/v1/ws`. */
  readonly url: string;
}

/**
 * Where the first join of a room begins: after a cursor (default: 0), or with the last `tail`
 * events.
 */
export interface RoomStart {
  readonly room: RoomId;
  readonly after?: Seq;
  readonly tail?: number;
  /** The user may lose the right to read it (wire-client.6). Otherwise a refusal is a surprise. */
  readonly isClosed?: boolean;
}

export interface Refusal {
  readonly id: MessageId;
  readonly room: RoomId;
  /** The error's name. */
  readonly error: string;
  readonly afterMs: number;
}

export interface WireClientHooks {
  /** Receives every record of the client in order. */
  readonly onRecord?: (record: ClientRecord) => void;
  /** Receives every decoded frame before the client handles it. */
  readonly onFrame?: (frame: JsonObject) => void;
  readonly onJoined?: (room: RoomId) => void;
  readonly onAck?: (room: RoomId, id: MessageId, seq: Seq) => void;
  /** The server refused a send; it accepts a retry after `afterMs`. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** The connection was lost while these sends were in flight, in the order of their first send. */
  readonly onLost?: (ids: readonly MessageId[]) => void;
  /** The gateway leaves and asks the client to reconnect after `afterMs`. */
  readonly onReconnect?: (afterMs: number) => void;
  /** The connection closed. `reason`: the socket's error, if it had one. */
  readonly onClosed?: (code: number, reason: string | undefined) => void;
  /** An answer that a client which follows the protocol must never get. */
  readonly onSurprise?: (what: string) => void;
}

/** The first connection goes to the first endpoint, each further one to the next. */
export function inTurn(endpoints: readonly Endpoint[]): (n: number) => Endpoint {
  return (n) => {
    const endpoint = endpoints[n % endpoints.length];
    if (endpoint === undefined) throw new Error("a client needs an endpoint");
    return endpoint;
  };
}

export interface WireClientOptions {
  readonly user: UserId;
  readonly token: string;
  /** Returns the endpoint of connection `n`, from 0 on. */
  readonly endpoint: (n: number) => Endpoint;
  readonly rooms?: readonly RoomStart[];
  /** Default: true. */
  readonly reconnects?: boolean;
  readonly welcomeWithinMs?: number;
  /** wire-client.4. Default: the client waits until the socket closes. */
  readonly silenceMs?: number;
  readonly localAddress?: string;
  /** Milliseconds on the clock of the records. Default: performance.now. */
  readonly now?: () => number;
  /** The checker judges presence only for clients that record it. */
  readonly recordsPresence?: boolean;
  readonly hooks?: WireClientHooks;
}

interface RoomState {
  readonly start: RoomStart;
  /** The client's cursor. */
  seen: Seq;
  /** The birth that the client knows; "" without one. */
  born: string;
  /** The room was recreated: the client leaves it only to join again (wire-client.5). */
  isDiscarding: boolean;
  state: "wanted" | "joining" | "joined" | "leaving" | "away";
}

interface Request {
  readonly op: "join" | "leave" | "page" | "view";
  readonly room: RoomId;
  readonly thread?: Seq | undefined;
}

interface Send {
  readonly room: RoomId;
  isInFlight: boolean;
}

export class WireClient {
  readonly #options: WireClientOptions;
  readonly #hooks: WireClientHooks;
  readonly #rooms = new Map<RoomId, RoomState>();
  readonly #requests = new Map<number, Request>();
  /** Sends without an acknowledgement. */
  readonly #sends = new Map<MessageId, Send>();
  #socket: WebSocket | undefined;
  #conn = 0;
  #ref = 0;
  #isWelcome = false;
  #isClosed = false;
  #isPaused = false;
  #reconnectAfterMs = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Runs from a write until the next byte arrives. */
  #silence: NodeJS.Timeout | undefined;

  constructor(options: WireClientOptions) {
    this.#options = options;
    this.#hooks = options.hooks ?? {};
    for (const start of options.rooms ?? []) {
      this.#rooms.set(start.room, {
        start,
        seen: start.after ?? 0,
        born: "",
        isDiscarding: false,
        state: "wanted",
      });
    }
  }

  get user(): UserId {
    return this.#options.user;
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether every room is joined, apart from those that the client left. */
  get isJoined(): boolean {
    return [...this.#rooms.values()].every(({ state }) => state === "joined" || state === "away");
  }

  /** The last sequence number of the room that the client received. */
  seen(room: RoomId): Seq {
    return this.#rooms.get(room)?.seen ?? 0;
  }

  has(room: RoomId): boolean {
    return this.#rooms.get(room)?.state === "joined";
  }

  connect(): void {
    if (this.#isClosed) return;
    const { endpoint, token, localAddress, welcomeWithinMs = WELCOME_WITHIN_MS } = this.#options;
    const { name, url } = endpoint(this.#conn++);
    const socket = new WebSocket(url, SUBPROTOCOL, {
      perMessageDeflate: false,
      ...(localAddress !== undefined && { localAddress }),
    });
    this.#socket = socket;
    let reason: string | undefined;
    const timer = setTimeout(() => socket.terminate(), welcomeWithinMs);
    socket.on("open", () => socket.send(JSON.stringify({ t: "hello", token })));
    socket.on("message", (data: Buffer) => {
      clearTimeout(this.#silence);
      this.#silence = undefined;
      for (const line of data.toString().split("\n")) {
        const frame = parseObject(line);
        if (frame === undefined) continue;
        this.#hooks.onFrame?.(frame);
        if (frame["t"] !== "welcome") this.#onFrame(frame);
        else {
          clearTimeout(timer);
          this.#onWelcome(name);
        }
      }
    });
    socket.on("error", (error) => (reason = error.message)); // "close" follows.
    socket.on("close", (code) => {
      clearTimeout(timer);
      clearTimeout(this.#silence);
      this.#silence = undefined;
      this.#onClosed(code, reason);
    });
  }

  /** Sends one message once. `sum`: checksum of its body for the record. */
  send(room: RoomId, id: MessageId, body: object, sum?: number): void {
    const send = this.#sends.get(id);
    if (send === undefined) this.#sends.set(id, { room, isInFlight: true });
    else send.isInFlight = true;
    this.#record({ op: "send", phase: "invoke", room, id, ...(sum !== undefined && { sum }) });
    this.write({ t: "send", room, id, body });
  }

  /**
   * Sends a frame that changes the room itself, once. `more`: the events that follow its first one.
   */
  change(frame: { readonly room: RoomId; readonly id: MessageId; readonly more?: number }): void {
    const { more, ...content } = frame;
    const { room, id } = content;
    this.#sends.set(id, { room, isInFlight: true });
    const further = more !== undefined && { more };
    this.#record({ op: "send", phase: "invoke", room, id, ...further });
    this.write(content);
  }

  /** Requests a page of history. */
  page(room: RoomId, after: Seq, limit: number): void {
    if (!this.#isWelcome) return;
    const ref = this.#request("page", room);
    this.#record({ op: "page", phase: "invoke", room, ref });
    this.write({ t: "history", ref, room, after, limit });
  }

  /** Requests the newest messages of the main line, or of a thread, as they are now. */
  view(room: RoomId, limit: number, thread?: Seq): void {
    if (!this.#isWelcome) return;
    const ref = this.#request("view", room, thread);
    this.#record({ op: "view", phase: "invoke", room, ref });
    this.write({ t: "history", ref, room, limit, view: "messages", thread });
  }

  /** Leaves the room until `rejoin`. */
  leave(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership?.state !== "joined") return;
    membership.state = "leaving";
    this.#record({ op: "leave", phase: "invoke", room });
    this.write({ t: "leave", ref: this.#request("leave", room), room });
  }

  rejoin(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership?.state !== "away") return;
    membership.state = "wanted";
    this.#join(room);
  }

  /**
   * Drops the connection without a closing handshake; the client reconnects to the next endpoint.
   */
  dropConnection(): void {
    if (this.#isWelcome && !this.#isPaused) this.#socket?.terminate();
  }

  /** Stops reading from the socket until `resumeReading`. */
  pauseReading(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.#socket?.resume();
  }

  /** Writes several objects as one text frame. */
  write(...frames: readonly object[]): void {
    this.writeRaw(frames.map((frame) => JSON.stringify(frame)).join("\n"));
  }

  /** Writes a frame as it is, well-formed or not. */
  writeRaw(data: string | Buffer, options: { readonly binary?: boolean } = {}): void {
    // A closing socket drops the frame. #onClosed then records its request as LOST.
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(data, options);
    const { silenceMs } = this.#options;
    if (silenceMs === undefined) return;
    this.#silence ??= setTimeout(() => socket.terminate(), silenceMs); // wire-client.4
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  /** Closes without a closing handshake: a client that does not read cannot complete one. */
  terminate(): void {
    this.close();
    this.#socket?.terminate();
  }

  #request(op: Request["op"], room: RoomId, thread?: Seq): number {
    this.#requests.set(++this.#ref, { op, room, thread });
    return this.#ref;
  }

  #join(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership === undefined || !this.#isWelcome || membership.state !== "wanted") return;
    membership.state = "joining";
    const { start, seen } = membership;
    const isTail = seen === 0 && start.tail !== undefined;
    const from = isTail ? { tail: start.tail } : { after: seen };
    this.#record({ op: "join", phase: "invoke", room, ...(!isTail && { after: seen }) });
    this.write({ t: "join", ref: this.#request("join", room), room, ...from });
  }

  #onWelcome(via: string): void {
    this.#isWelcome = true;
    this.#record({ op: "open", phase: "ok", via });
    for (const room of this.#rooms.keys()) this.#join(room); // wire-client.1
  }

  #onFrame(frame: JsonObject): void {
    const room = frame["room"] as RoomId;
    switch (frame["t"]) {
      case "ack":
        return this.#onAck(frame["id"] as MessageId, Number(frame["seq"]));
      case "joined":
        return this.#onJoined(room, frame);
      case "left":
        if (frame["ref"] === undefined) this.#record({ op: "leave", phase: "invoke", room });
        else this.#requests.delete(Number(frame["ref"]));
        return this.#onLeft(room); // wire-client.6
      case "caught-up":
        return this.#record({ op: "caught", room, seq: Number(frame["seq"]) });
      case "presence":
        return this.#onPresence(room, frame);
      case "page":
        return this.#onPage(room, frame);
      case "reconnect":
        this.#reconnectAfterMs = Number(frame["afterMs"] ?? 0);
        return this.#hooks.onReconnect?.(this.#reconnectAfterMs);
      case "error":
        return this.#onError(frame);
      default: // The client has nothing to do for `pong` and `typing`.
        if (!EVENT_KINDS.has(String(frame["t"]))) return;
        this.#onEvent(room, Number(frame["seq"]), frame["id"] as MessageId);
    }
  }

  #onEvent(room: RoomId, seq: Seq, id: MessageId): void {
    const membership = this.#rooms.get(room);
    if (membership !== undefined && !membership.isDiscarding) {
      membership.seen = seq;
      if (seq === 1 && membership.born === "") membership.born = id; // wire-client.5
    }
    this.#record({ op: "see", room, seq, id });
  }

  #onJoined(room: RoomId, frame: JsonObject): void {
    const [from, head] = [Number(frame["from"]), Number(frame["head"])];
    this.#requests.delete(Number(frame["ref"]));
    const born = String(frame["born"]);
    this.#record({ op: "join", phase: "ok", room, from, head, born });
    this.#setState(room, "joined");
    const membership = this.#rooms.get(room);
    if (membership === undefined) return;
    const isOther = membership.born !== "" && membership.born !== born; // wire-client.5
    membership.isDiscarding = isOther || head < membership.seen;
    membership.born = born;
    if (membership.isDiscarding) {
      membership.seen = 0;
      this.leave(room);
    } else this.#hooks.onJoined?.(room);
  }

  #onLeft(room: RoomId): void {
    this.#record({ op: "leave", phase: "ok", room });
    this.#setState(room, "away");
    const membership = this.#rooms.get(room);
    if (membership?.isDiscarding !== true) return;
    membership.isDiscarding = false;
    this.rejoin(room);
  }

  #onAck(id: MessageId, seq: Seq): void {
    const send = this.#sends.get(id);
    if (send === undefined) {
      this.#hooks.onSurprise?.(`an acknowledgement for ${id}, which is not pending`);
      return;
    }
    this.#sends.delete(id);
    this.#record({ op: "send", phase: "ok", room: send.room, id, seq });
    this.#hooks.onAck?.(send.room, id, seq);
  }

  #onPresence(room: RoomId, frame: JsonObject): void {
    if (this.#options.recordsPresence !== true) return;
    const { join, leave, here } = frame as { join?: UserId[]; leave?: UserId[]; here?: number };
    this.#record({
      op: "here",
      room,
      ...(join && { join }),
      ...(leave && { leave }),
      ...(here !== undefined && { here }),
    });
  }

  #onPage(room: RoomId, frame: JsonObject): void {
    const ref = Number(frame["ref"]);
    const { op, thread } = this.#requests.get(ref) ?? {};
    this.#requests.delete(ref);
    if (op === "view") {
      return this.#record({ op, phase: "ok", room, ref, ...shownPageOf(frame, thread) });
    }
    const events = frame["events"] as { seq: Seq; id: MessageId }[];
    const ids = events.map((event) => event.id);
    this.#record({ op: "page", phase: "ok", room, ref, first: events[0]?.seq ?? 1, ids });
  }

  #onError(frame: JsonObject): void {
    const err = String(frame["name"]);
    // `busy` and `rate_limited` guarantee that the server stored nothing; `unavailable` does not.
    const phase = err === "busy" || err === "rate_limited" ? "fail" : "info";
    const afterMs = Number(frame["afterMs"] ?? RETRY_MS);
    const id = frame["id"] as MessageId | undefined;
    const send = id === undefined ? undefined : this.#sends.get(id);
    const request = this.#requests.get(Number(frame["ref"]));
    const isClosed =
      err === "forbidden" &&
      request?.op === "join" &&
      this.#rooms.get(request.room)?.start.isClosed === true;
    if (frame["retry"] !== true && !isClosed) this.#hooks.onSurprise?.(JSON.stringify(frame));
    if (id !== undefined && send !== undefined) {
      this.#record({ op: "send", phase, room: send.room, id, err });
      send.isInFlight = false;
      this.#hooks.onRefused?.({ id, room: send.room, error: err, afterMs });
      return;
    }
    if (request === undefined) return;
    const ref = Number(frame["ref"]);
    this.#requests.delete(ref);
    this.#recordUnanswered(ref, request, phase, err);
    const { op, room } = request;
    if (isClosed) return this.#setState(room, "away"); // wire-client.6
    if (op !== "join" || !this.#rooms.has(room)) return;
    this.#setState(room, "wanted");
    setTimeout(() => this.#join(room), afterMs);
  }

  #onClosed(code: number, reason: string | undefined): void {
    const lost: MessageId[] = [];
    for (const [id, send] of this.#sends) {
      if (!send.isInFlight) continue;
      send.isInFlight = false;
      lost.push(id);
      this.#record({ op: "send", phase: "info", room: send.room, id, err: LOST }); // wire-client.2
    }
    for (const [ref, request] of this.#requests) this.#recordUnanswered(ref, request, "info", LOST);
    this.#requests.clear();
    for (const membership of this.#rooms.values()) {
      if (membership.state !== "away") membership.state = "wanted";
      membership.isDiscarding = false;
    }
    this.#record({ op: "close", phase: this.#isClosed ? "ok" : "info", err: String(code) });
    this.#isWelcome = false;
    this.#hooks.onLost?.(lost);
    this.#hooks.onClosed?.(code, reason);
    if (this.#isClosed || this.#options.reconnects === false) return;
    const afterMs = RECONNECT_MIN_MS + Math.random() * RECONNECT_SPREAD_MS;
    this.#retry = setTimeout(() => this.connect(), Math.max(this.#reconnectAfterMs, afterMs));
    this.#reconnectAfterMs = 0;
  }

  #setState(room: RoomId, state: RoomState["state"]): void {
    const membership = this.#rooms.get(room);
    if (membership !== undefined) membership.state = state;
  }

  #recordUnanswered(ref: number, request: Request, phase: "fail" | "info", err: string): void {
    const { op, room } = request;
    if (op === "page" || op === "view") this.#record({ op, phase, room, ref, err });
    else this.#record({ op, phase, room, err });
  }

  #record(what: OwnPart<ClientRecord>): void {
    const { user: client, now = () => performance.now() } = this.#options;
    this.#hooks.onRecord?.({ t: now(), client, conn: this.#conn, ...what });
  }
}

type OwnPart<R> = R extends ClientRecord ? Omit<R, "t" | "client" | "conn"> : never;
