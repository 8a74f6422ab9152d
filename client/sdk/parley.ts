// Parley: the client SDK for browsers and Node.
//
// Owns: the WebSocket, the timer and the promises. It passes inputs to the core (core/client.ts)
// and performs the core's effects. Does not own: the decisions of the protocol (the core).
//
//   parley.1. Effects are performed in the order in which the core decided them, also when a
//       handler calls the SDK while other effects are pending.
//   parley.2. An effect for a room handle reaches only that handle, never a later handle of the
//       same room.
//   parley.3. An address that has served a connection is tried again first. The next one follows an
//       attempt that never came online, and a connection that fell silent: its address may be lost,
//       and an attempt there could take CONNECT_TIMEOUT_MS.

import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { WriteContent, WriteFrame } from "#shared/protocol/commands.ts";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import { isRoomId } from "#shared/protocol/ids.ts";
import { decodeInvite } from "#shared/protocol/invites.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Note } from "#shared/protocol/note.ts";
import type { RoomsPage } from "#shared/protocol/room-list.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { KEPT_DEADLINE_MS, OUTBOX_MAX } from "./core/bounds.ts";
import { Client } from "./core/client.ts";
import type {
  ConnectionState,
  Effect,
  Fault,
  Input,
  Page,
  PageRange,
  RoomEffect,
  RoomsRange,
  SendResult,
} from "./core/effects.ts";
import { defer } from "./deferred.ts";
import { Listeners } from "./listeners.ts";
import { ConnectionClosed, HistoryFailed } from "./errors.ts";
import type { CreateOptions, JoinOptions, ParleyOptions } from "./parley-options.ts";
import { RoomHandle } from "./room-handle.ts";
import type { Outgoing, Resumed, RoomLink, RoomNews } from "./room-handle.ts";
import { watchPage } from "./page-life.ts";
import { waitUntil } from "./waiting.ts";
import type { WaitOptions } from "./waiting.ts";
import { webClock, webRandom } from "./web-clock.ts";

/** The events of `Parley.on`. */
export interface ParleyNews {
  /** The state of the connection after each change. */
  readonly state: ConnectionState;
  /** A failure that belongs to no call, for example a failed token request. */
  readonly error: Fault;
  /**
   * A hint that something concerns the user in a room, joined or not: a membership, a mention, a
   * reply, a direct message. It can be lost; `rooms` has the truth.
   */
  readonly note: Note;
  /** The number of messages in `unsent` after each change. */
  readonly unsent: number;
}

/** The caller of a page knows its type: the answer belongs to the call. */
interface PendingPage {
  resolve(page: unknown): void;
  reject(reason: HistoryFailed): void;
}

interface Joined {
  readonly handle: RoomHandle;
  readonly link: RoomLink;
}

const SUBPROTOCOL = "parley.v1";
const ROOM_FORM = "a room id has 1 to 64 characters of A-Z a-z 0-9 _ and -";

/**
 * A client of one cluster, with one connection at a time. It reconnects by itself, resumes each
 * room from its cursor and resends unanswered messages.
 */
export class Parley {
  readonly #options: ParleyOptions;
  readonly #clock: Pick<Clock, "now" | "monotonic" | "after">;
  readonly #random: Random;
  readonly #webSocket: typeof WebSocket;
  readonly #client: Client;
  readonly #listeners: Listeners<ParleyNews> = new Listeners();
  readonly #rooms: Map<RoomId, Joined> = new Map();
  readonly #outgoing: Map<string, Outgoing & { resolve(result: SendResult): void }> = new Map();
  readonly #pages: Map<number, PendingPage> = new Map();
  readonly #queue: (() => void)[] = [];
  #isPerforming = false;
  #calls = 0;
  readonly #urls: readonly string[];
  /** The address of the present attempt, and whether it came online (parley.3). */
  #urlIndex = -1;
  #wasOnline = false;
  #socket: WebSocket | undefined;
  /** The messages without an outcome, by id. */
  readonly #unsent: Map<string, Resumed & { readonly isResumed?: boolean }> = new Map();
  #endWatch: (() => void) | undefined;
  #wake: { readonly at: number; readonly timer: Timer } | undefined;

  /**
   * Throws TypeError for an invalid URL, or when there is no WebSocket class. Call `connect` next.
   */
  constructor(options: ParleyOptions) {
    const urls = typeof options.url === "string" ? [options.url] : options.url;
    if (urls.length === 0) throw new TypeError("url is an empty list");
    for (const url of urls) {
      const { protocol } = new URL(url);
      if (protocol !== "ws:" && protocol !== "wss:")
        throw new TypeError("url must begin with ws:// or wss://");
    }
    const { token, client, device, clock = webClock, random = webRandom, outbox } = options;
    const webSocket = options.webSocket ?? globalThis.WebSocket;
    if (webSocket === undefined)
      throw new TypeError("this runtime has no WebSocket: pass one as `webSocket`");
    this.#options = options;
    this.#urls = urls;
    this.#clock = clock;
    this.#random = random;
    this.#webSocket = webSocket;
    const sendDeadlineMs = outbox && KEPT_DEADLINE_MS;
    const canRefresh = typeof token === "function";
    this.#client = new Client({ canRefresh, client, device, random, sendDeadlineMs });
  }

  /** "waiting" stands for the wait before the next attempt; "closed" is final until `connect`. */
  get state(): ConnectionState {
    return this.#client.state;
  }

  /** The user id of the token, from the server; undefined before the first `welcome`. */
  get user(): string | undefined {
    return this.#client.user;
  }

  /**
   * The id of this client in the list of the user's sessions; undefined before the first `welcome`.
   * Each connection has another one.
   */
  get sessionId(): string | undefined {
    return this.#client.session;
  }

  /**
   * The code with which the server or the network closed the last connection; undefined before.
   * With 4501 the session was ended: by a request of the user, or by an administrator.
   */
  get closeCode(): number | undefined {
    return this.#client.closeCode;
  }

  /** When the next attempt begins, in ms since 1970, while `state` is "waiting". */
  get retryAt(): number | undefined {
    const at = this.#client.retryAt;
    return at === undefined ? undefined : this.#clock.now() + (at - this.#clock.monotonic());
  }

  /**
   * The messages of joined rooms that have no outcome yet, in the order of `send`: those of this
   * run, and those of an earlier run in the outbox.
   */
  get unsent(): readonly Resumed[] {
    return [...this.#unsent.values()];
  }

  /**
   * Connects; the state changes to "online" later. In the state "waiting" it connects now instead
   * of after the wait. In the state "closed" it starts again and resumes the rooms.
   */
  connect(): void {
    if (this.#options.clock === undefined) {
      const step = (kind: "wake" | "suspend") => (): void => this.#step({ kind });
      this.#endWatch ??= watchPage({ onWake: step("wake"), onSuspend: step("suspend") });
    }
    this.#step({ kind: "connect" });
    const onFault = (): void => this.#listeners.emit("error", OUTBOX_FAULT);
    this.#options.outbox?.open(() => this.#resume(), onFault);
    this.#resume();
  }

  /** Resolves when the client is online. Rejects with ConnectionClosed when it is closed. */
  online({ signal }: WaitOptions = {}): Promise<void> {
    const check = (): boolean => {
      if (this.state === "closed") throw new ConnectionClosed();
      return this.state === "online";
    };
    return waitUntil(check, (changed) => this.on("state", changed), signal);
  }

  /** Resolves when the outbox has stored every earlier send, and removed those with an outcome. */
  async flush(): Promise<void> {
    await this.#options.outbox?.flush();
  }

  /**
   * Closes the connection. Pending sends are refused with `unavailable`; those in an outbox stay
   * there for the next `connect`.
   */
  close(): void {
    this.#endWatch?.();
    this.#endWatch = undefined;
    this.#step({ kind: "close" });
  }

  /** Adds a handler. Returns a function that removes it. */
  on<K extends keyof ParleyNews>(name: K, handler: (value: ParleyNews[K]) => void): () => void {
    return this.#listeners.on(name, handler);
  }

  /**
   * Joins a room, now or after the next connect. Returns the same handle for a room until it is
   * left. Throws TypeError for an invalid room id.
   */
  join(room: string, { after, born, tail }: JoinOptions = {}): RoomHandle {
    if (!isRoomId(room)) throw new TypeError(ROOM_FORM);
    const known = this.#rooms.get(room);
    if (known !== undefined) return known.handle;
    this.#step({ kind: "join", room, after, born, tail });
    const link = this.#createLink(room);
    const handle = new RoomHandle(link);
    this.#rooms.set(room, { handle, link });
    this.#resume();
    return handle;
  }

  /**
   * Creates a closed or an open room, with the user as its owner. Call it before `join`. The
   * outcome `conflict` means that the room exists. Throws TypeError for an invalid room id.
   */
  createRoom(room: string, { id, ...options }: CreateOptions): Outgoing {
    if (!isRoomId(room)) throw new TypeError(ROOM_FORM);
    const members = options.members?.map(({ user, ...more }) => ({
      user: user as UserId,
      ...more,
    }));
    return this.#submit(room, { t: "create", ...options, members }, id);
  }

  /** Creates the room of the two users; `directRoom` returns its id. */
  createDirectRoom(self: string, user: string): Outgoing {
    const content = { t: "create", kind: "direct", user: user as UserId } as const;
    return this.#submit(directRoomId(self as UserId, user as UserId), content);
  }

  /** Enters a closed room with the token of an invite. Then `join` the room. */
  enter(token: string): Outgoing {
    const invite = decodeInvite(token);
    if (invite === undefined) throw new TypeError("enter expects the token of an invite");
    return this.#submit(invite.room, { t: "enter", invite: invite.invite, secret: invite.secret });
  }

  /** The id of the room of two users. Both orders give the same id. */
  static directRoom(a: string, b: string): string {
    return directRoomId(a as UserId, b as UserId);
  }

  /**
   * The rooms whose member the user is, newest activity first, each with its unread count and its
   * last message. It needs no joined room. Rejects with HistoryFailed.
   */
  rooms(range: RoomsRange = {}): Promise<RoomsPage> {
    return this.#page((call) => ({ kind: "rooms", call, range }));
  }

  #createLink(room: RoomId): RoomLink {
    const view = this.#client.room(room);
    if (view === undefined) throw new Error("unreachable: the core knows each joined room");
    const link: RoomLink = {
      room,
      view,
      listeners: new Listeners<RoomNews>(),
      hasLeft: false,
      user: () => this.user,
      now: () => this.#clock.now(),
      write: (content, id) => this.#write(link, room, content, id),
      typing: (on) => this.#step({ kind: "typing", room, on }),
      read: (seq) => this.#step({ kind: "read", room, seq }),
      history: (range, signal) => this.#history(link, room, range, signal),
      resumed: () => this.unsent.filter((send) => send.room === room && "isResumed" in send),
      leave: () => {
        link.hasLeft = true;
        this.#step({ kind: "leave", room });
      },
    };
    return link;
  }

  #write(link: RoomLink, room: RoomId, content: WriteContent, id?: string): Outgoing {
    if (!link.hasLeft) return this.#submit(room, content, id);
    const name = id ?? uuidv7(this.#clock.now(), this.#random);
    const message = "The room was left.";
    const result = { kind: "refused", error: "not_joined", message } as const;
    return this.#outgoing.get(name) ?? { id: name, done: Promise.resolve(result) };
  }

  #submit(room: RoomId, content: WriteContent, id?: string): Outgoing {
    const name = (id ?? uuidv7(this.#clock.now(), this.#random)) as MessageId;
    const pending = this.#outgoing.get(name);
    if (pending !== undefined) return pending; // The same id names the same message.
    const head = { t: content.t, room, id: name };
    const frame = { ...head, ...content };
    const outgoing = this.#expect(name);
    const at = this.#clock.now();
    if (content.t === "send") this.#pend({ ...content, ...outgoing, room, at });
    const write = (): void => this.#step({ kind: "write", frame });
    const { outbox } = this.#options;
    const text = outbox && this.state !== "closed" && jsonOf(frame);
    if (!text) write(); // A body that is no JSON is refused by the core.
    else outbox.write({ id: name, room, text, at }, write);
    return outgoing;
  }

  #expect(id: string): Outgoing {
    const { promise, resolve } = defer<SendResult>();
    const outgoing = { id, done: promise, resolve };
    this.#outgoing.set(id, outgoing);
    return outgoing;
  }

  /** Submits the sends of an earlier run, as far as the core has room for them. */
  #resume(): void {
    if (this.state === "closed") return;
    const free = OUTBOX_MAX - this.#outgoing.size;
    const isJoined = (room: string): boolean => this.#rooms.has(room as RoomId);
    for (const { id, at, text } of this.#options.outbox?.take(free, isJoined) ?? []) {
      if (this.#outgoing.has(id)) continue; // The application sent it again itself.
      const frame = JSON.parse(text) as WriteFrame;
      const outgoing = this.#expect(id);
      if (frame.t === "send") {
        const resumed = { ...frame, ...outgoing, at, isResumed: true };
        this.#pend(resumed);
        this.#rooms.get(frame.room)?.link.listeners.emit("resumed", resumed);
      }
      this.#step({ kind: "write", frame });
    }
  }

  #pend(send: Resumed): void {
    this.#unsent.set(send.id, send);
    this.#listeners.emit("unsent", this.#unsent.size);
  }

  #onSettled(id: string, result: SendResult): void {
    this.#outgoing.get(id)?.resolve(result);
    if (this.#unsent.delete(id)) this.#listeners.emit("unsent", this.#unsent.size);
    this.#outgoing.delete(id);
    const isKept = this.state === "closed" && "error" in result && result.error === "unavailable";
    this.#options.outbox?.settle(id, isKept);
    this.#resume();
  }

  #history(link: RoomLink, room: RoomId, range: PageRange, signal?: AbortSignal): Promise<Page> {
    if (link.hasLeft) return Promise.reject(new HistoryFailed("not_joined", "The room was left."));
    return this.#page((call) => ({ kind: "history", call, room, range }), signal);
  }

  #page<P extends Page | RoomsPage>(
    inputOf: (call: number) => Input,
    signal?: AbortSignal,
  ): Promise<P> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const call = ++this.#calls;
    const { promise, resolve, reject } = defer<P>();
    this.#pages.set(call, { resolve: (page) => resolve(page as P), reject });
    const onAbort = (): void => {
      reject(signal?.reason);
      this.#pages.delete(call);
      this.#step({ kind: "cancel", call });
    };
    signal?.addEventListener("abort", onAbort);
    this.#step(inputOf(call));
    return promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  #step(input: Input): void {
    const effects = this.#client.step(input, this.#clock.monotonic());
    for (const effect of effects) this.#queue.push(this.#bind(effect));
    if (this.#isPerforming) return; // parley.1: the outer call performs these, too.
    this.#isPerforming = true;
    // Also visits items that are pushed during the loop.
    for (const perform of this.#queue) perform();
    this.#queue.length = 0;
    this.#isPerforming = false;
    this.#arm();
  }

  /** parley.2: selects the handle now; the effect is performed later. */
  #bind(effect: Effect): () => void {
    if (!("room" in effect)) return () => this.#perform(effect);
    const link = this.#rooms.get(effect.room)?.link;
    if (link === undefined) return () => undefined;
    if (effect.kind === "status" && effect.status === "left") {
      this.#rooms.delete(effect.room);
      return () => {
        link.hasLeft = true;
        link.listeners.emit("status", "left");
      };
    }
    return () => {
      if (!link.hasLeft) deliver(link.listeners, effect);
    };
  }

  #perform(effect: Exclude<Effect, RoomEffect>): void {
    switch (effect.kind) {
      case "ask-token":
        this.#askToken(effect.ask);
        break;
      case "open":
        this.#open(effect.socket);
        break;
      case "write":
        // A socket that closes reports "ended", and the core writes lost texts again.
        if (this.#socket?.readyState === 1) this.#socket.send(effect.text);
        break;
      case "drop":
        this.#socket?.close();
        this.#socket = undefined;
        if (effect.isSilent) this.#wasOnline = false; // parley.3
        break;
      case "state":
        if (effect.state === "online") this.#wasOnline = true;
        this.#listeners.emit("state", effect.state);
        break;
      case "fault":
        this.#listeners.emit("error", effect.fault);
        break;
      case "settled":
        this.#onSettled(effect.id, effect.result);
        break;
      case "hint":
        this.#listeners.emit("note", effect.note);
        break;
      case "page":
        this.#pages.get(effect.call)?.resolve(effect.page);
        this.#pages.delete(effect.call);
        break;
      case "page-failed":
        this.#pages.get(effect.call)?.reject(new HistoryFailed(effect.error, effect.message));
        this.#pages.delete(effect.call);
        break;
    }
  }

  #askToken(ask: number): void {
    const { token } = this.#options;
    if (typeof token === "string") {
      this.#step({ kind: "token", ask, token });
      return;
    }
    const answer = async (): Promise<string> => token();
    answer().then(
      (value) => this.#step({ kind: "token", ask, token: value }),
      () => this.#step({ kind: "token-failed", ask }),
    );
  }

  #open(number: number): void {
    if (!this.#wasOnline) this.#urlIndex = (this.#urlIndex + 1) % this.#urls.length;
    this.#wasOnline = false;
    const url = this.#urls[this.#urlIndex] ?? "";
    const socket = new this.#webSocket(url, [SUBPROTOCOL]);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#step({ kind: "opened", socket: number }));
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") this.#step({ kind: "text", socket: number, text: data });
    });
    socket.addEventListener("close", ({ code }) => {
      this.#step({ kind: "ended", socket: number, code });
    });
    // "close" follows every "error". Without a handler, an "error" would be thrown.
    socket.addEventListener("error", () => undefined);
  }

  /** An early tick is harmless, so a timer moves only when it would be late. */
  #arm(): void {
    const at = this.#client.wakeAt;
    if (at !== undefined && this.#wake !== undefined && this.#wake.at <= at) return;
    this.#wake?.timer.cancel();
    this.#wake = undefined;
    if (at === undefined) return;
    const timer = this.#clock.after(at - this.#clock.monotonic(), () => {
      this.#wake = undefined;
      this.#step({ kind: "tick" });
    });
    this.#wake = { at, timer };
  }
}

const OUTBOX_FAULT: Fault = {
  name: "internal",
  message: "The outbox failed: unanswered sends are in memory only.",
};

/** The empty text when the value has no JSON form: the server refuses it. */
function jsonOf(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "";
  }
}

function deliver(listeners: Listeners<RoomNews>, effect: RoomEffect): void {
  switch (effect.kind) {
    case "event":
      listeners.emit("event", effect.event);
      break;
    case "status":
      listeners.emit("status", effect.status);
      break;
    case "presence":
      listeners.emit("presence", effect.change);
      break;
    case "typing":
      listeners.emit("typing", effect.change);
      break;
    case "read":
      listeners.emit("read", effect.change);
      break;
    case "removed":
      listeners.emit("removed", effect.removed);
      break;
    case "reset":
      listeners.emit("reset", effect.reset);
      break;
  }
}
