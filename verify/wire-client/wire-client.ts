// WireClient: one client that speaks the WebSocket protocol directly, without the SDK.
//
// Tests with this client see what any client sees that implements docs/protocol.md. Owns: the
// joined rooms with their cursors, the requests without an answer, the records of all of them.
// Does not own: the socket (wire-socket.ts), which messages to send, and when to send one again
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
//   wire-client.7. A room may decide against a change with `mayBeRefused`, for example one with an
//        invite that has ended. The answer is final. Every other final refusal is a surprise.

import type { JsonObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { EVENT_KINDS, LOST } from "../checker/record.ts";
import type { ClientRecord } from "../checker/record.ts";
import { shownListOf } from "../checker/shown-list.ts";
import { shownPageOf } from "../checker/shown-message.ts";
import type { RoomStart, WireClientHooks, WireClientOptions } from "./wire-client-options.ts";
import { WireSocket } from "./wire-socket.ts";

const RECONNECT_MIN_MS = 50;
const RECONNECT_SPREAD_MS = 200;
/** The wait before a retry when the error frame has no `afterMs`. */
const RETRY_MS = 200;

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

type Request =
  | {
      readonly op: "join" | "leave" | "page" | "view";
      readonly room: RoomId;
      readonly thread?: Seq | undefined;
    }
  | { readonly op: "list" };

interface Send {
  readonly room: RoomId;
  isInFlight: boolean;
  /** The room may decide against it (wire-client.7). */
  readonly mayBeRefused?: boolean;
}

/** What a room answers to a write that it has decided against. */
const DECISIONS: ReadonlySet<string> = new Set(["forbidden", "conflict", "not_found"]);

export class WireClient {
  readonly #options: WireClientOptions;
  readonly #hooks: WireClientHooks;
  readonly #rooms = new Map<RoomId, RoomState>();
  readonly #requests = new Map<number, Request>();
  /** Sends without an acknowledgement. */
  readonly #sends = new Map<MessageId, Send>();
  #socket: WireSocket | undefined;
  #conn = 0;
  #ref = 0;
  #isWelcome = false;
  #isClosed = false;
  #isPaused = false;
  #reconnectAfterMs = 0;
  #retry: NodeJS.Timeout | undefined;

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
    const { name, url } = this.#options.endpoint(this.#conn++);
    this.#socket = new WireSocket(url, this.#options, {
      onFrame: (frame) => {
        this.#hooks.onFrame?.(frame);
        if (frame["t"] === "welcome") this.#onWelcome(name);
        else this.#onFrame(frame);
      },
      onClosed: (code, reason) => this.#onClosed(code, reason),
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
   * `mayBeRefused`: the room may decide against it (wire-client.7).
   */
  change(frame: {
    readonly room: RoomId;
    readonly id: MessageId;
    readonly more?: number;
    readonly mayBeRefused?: boolean;
  }): void {
    const { more, mayBeRefused = false, ...content } = frame;
    const { room, id } = content;
    this.#sends.set(id, { room, isInFlight: true, mayBeRefused });
    const further = more !== undefined && { more };
    this.#record({ op: "send", phase: "invoke", room, id, ...further });
    this.write(content);
  }

  /** Requests a page of history. */
  page(room: RoomId, after: Seq, limit: number): void {
    if (!this.#isWelcome) return;
    const ref = this.#request({ op: "page", room });
    this.#record({ op: "page", phase: "invoke", room, ref });
    this.write({ t: "history", ref, room, after, limit });
  }

  /** Requests the newest messages of the main line, or of a thread, as they are now. */
  view(room: RoomId, limit: number, thread?: Seq): void {
    if (!this.#isWelcome) return;
    const ref = this.#request({ op: "view", room, thread });
    this.#record({ op: "view", phase: "invoke", room, ref });
    this.write({ t: "history", ref, room, limit, view: "messages", thread });
  }

  /** Requests the list of the own rooms; returns the number of the request, if it was sent. */
  list(limit: number): number | undefined {
    if (!this.#isWelcome) return undefined;
    const ref = this.#request({ op: "list" });
    this.#record({ op: "list", phase: "invoke", ref });
    this.write({ t: "rooms", ref, limit });
    return ref;
  }

  /** Says that the user has read the joined room up to `seq`. */
  read(room: RoomId, seq: Seq): void {
    if (!this.#isWelcome || !this.has(room)) return;
    this.#record({ op: "read", room, seq });
    this.write({ t: "read", room, seq });
  }

  /** Leaves the room until `rejoin`. */
  leave(room: RoomId): void {
    const membership = this.#rooms.get(room);
    if (membership?.state !== "joined") return;
    membership.state = "leaving";
    this.#record({ op: "leave", phase: "invoke", room });
    this.write({ t: "leave", ref: this.#request({ op: "leave", room }), room });
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
    this.#socket?.write(data, options);
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

  #request(request: Request): number {
    this.#requests.set(++this.#ref, request);
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
    this.write({ t: "join", ref: this.#request({ op: "join", room }), room, ...from });
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
      case "rooms":
        this.#requests.delete(Number(frame["ref"]));
        return this.#record(shownListOf(frame));
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
    const request = this.#requests.get(ref);
    this.#requests.delete(ref);
    if (request?.op === "view") {
      const shown = shownPageOf(frame, request.thread);
      return this.#record({ op: "view", phase: "ok", room, ref, ...shown });
    }
    const events = frame["events"] as { seq: Seq; id: MessageId }[];
    const ids = events.map((event) => event.id);
    this.#record({ op: "page", phase: "ok", room, ref, first: events[0]?.seq ?? 1, ids });
  }

  #onError(frame: JsonObject): void {
    const err = String(frame["name"]);
    const afterMs = Number(frame["afterMs"] ?? RETRY_MS);
    const id = frame["id"] as MessageId | undefined;
    const send = id === undefined ? undefined : this.#sends.get(id);
    const request = this.#requests.get(Number(frame["ref"]));
    const isClosed = request?.op === "join" && err === "forbidden" && this.#isClosedRoom(request);
    const isFinal = send?.mayBeRefused === true && DECISIONS.has(err); // wire-client.7
    // `left` and a `read` can cross each other (wire-client.6).
    const isCrossed = err === "not_joined" && this.#isClosedRoom({ room: frame["room"] as RoomId });
    if (frame["retry"] !== true && !isClosed && !isFinal && !isCrossed) {
      this.#hooks.onSurprise?.(JSON.stringify(frame));
    }
    // Of the temporary errors only `unavailable` and `internal` leave open what was stored.
    const phase = err === "busy" || err === "rate_limited" || isFinal ? "fail" : "info";
    if (id !== undefined && send !== undefined) {
      this.#record({ op: "send", phase, room: send.room, id, err });
      send.isInFlight = false;
      if (isFinal) this.#sends.delete(id);
      this.#hooks.onRefused?.({ id, room: send.room, error: err, afterMs, isFinal });
      return;
    }
    if (request === undefined) return;
    const ref = Number(frame["ref"]);
    this.#requests.delete(ref);
    this.#recordUnanswered(ref, request, phase, err);
    if (request.op !== "join") return;
    const { room } = request;
    if (isClosed) return this.#setState(room, "away"); // wire-client.6
    if (!this.#rooms.has(room)) return;
    this.#setState(room, "wanted");
    setTimeout(() => this.#join(room), afterMs);
  }

  #isClosedRoom({ room }: { readonly room: RoomId }): boolean {
    return this.#rooms.get(room)?.start.isClosed === true;
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
    if (request.op === "list") return this.#record({ op: "list", phase, ref, err });
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
