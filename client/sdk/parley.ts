// Parley: the client SDK for browsers and Node. This is its shell: it owns the WebSocket, the timer
// and the promises, feeds the core (core/client.ts) and performs what the core asks for, in order.
//
//   parley.1. Effects are performed in the order in which they were decided, also when a handler calls
//       back into the SDK while others still wait.
//   parley.2. What was decided for a room handle reaches that handle or nobody: never one that the
//       application got for the same room later.

import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import { isRoomId } from "#shared/protocol/ids.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import { Client } from "./core/client.ts";
import type {
  ConnectionState,
  Effect,
  Fault,
  Input,
  Page,
  PageRange,
  RoomEffect,
  SendResult,
} from "./core/effects.ts";
import { Listeners } from "./listeners.ts";
import { HistoryFailed, RoomHandle } from "./room-handle.ts";
import type { Outgoing, RoomLink, RoomNews, SendOptions } from "./room-handle.ts";
import { webClock, webRandom } from "./web-clock.ts";

export interface ParleyOptions {
  /** `ws://…/v1/ws` or `wss://…/v1/ws`. */
  readonly url: string;
  /** A function is asked anew for every connection, and before a token ends. */
  readonly token: string | (() => Promise<string>);
  /** Names this program to the server: `web/1.0`. */
  readonly client?: string;
  readonly webSocket?: typeof WebSocket;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface JoinOptions {
  /** Everything above this number; without it the room begins with its tail. */
  readonly after?: number;
  readonly tail?: number;
}

export interface ParleyNews {
  readonly state: ConnectionState;
  /** What went wrong outside of a call that could say so itself. */
  readonly error: Fault;
}

interface Joined {
  readonly handle: RoomHandle;
  readonly link: RoomLink;
}

const SUBPROTOCOL = "parley.v1";

export class Parley {
  readonly #options: ParleyOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #webSocket: typeof WebSocket;
  readonly #client: Client;
  readonly #listeners: Listeners<ParleyNews> = new Listeners();
  readonly #rooms: Map<RoomId, Joined> = new Map();
  readonly #outgoing: Map<string, Outgoing & { resolve(result: SendResult): void }> = new Map();
  readonly #pages: Map<number, PromiseWithResolvers<Page>> = new Map();
  readonly #queue: (() => void)[] = [];
  #isPerforming = false;
  #calls = 0;
  #socket: WebSocket | undefined;
  #wake: { readonly at: number; readonly timer: Timer } | undefined;

  /** Throws TypeError when the URL is none, or when there is no WebSocket to use. */
  constructor(options: ParleyOptions) {
    const { protocol } = new URL(options.url);
    if (protocol !== "ws:" && protocol !== "wss:") throw new TypeError("the url must be ws(s)://…");
    const { token, client, clock = webClock, random = webRandom } = options;
    const webSocket = options.webSocket ?? globalThis.WebSocket;
    if (webSocket === undefined) throw new TypeError("there is no WebSocket: pass `webSocket`");
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#webSocket = webSocket;
    this.#client = new Client({ canRefresh: typeof token === "function", client, random });
  }

  get state(): ConnectionState {
    return this.#client.state;
  }

  /** Who the server says we are; undefined before the first welcome. */
  get user(): string | undefined {
    return this.#client.user;
  }

  /** When the next attempt begins, on the scale of `Date.now()`, while `state` is "waiting". */
  get retryAt(): number | undefined {
    const at = this.#client.retryAt;
    return at === undefined ? undefined : this.#clock.now() + (at - this.#clock.monotonic());
  }

  /** While "waiting": try now. When "closed": begin again; rooms are resumed. */
  connect(): void {
    globalThis.addEventListener?.("online", this.#onNetwork);
    this.#step({ kind: "connect" });
  }

  close(): void {
    globalThis.removeEventListener?.("online", this.#onNetwork);
    this.#step({ kind: "close" });
  }

  on<K extends keyof ParleyNews>(name: K, handler: (value: ParleyNews[K]) => void): () => void {
    return this.#listeners.on(name, handler);
  }

  /** The one handle of this room until it is left. Throws TypeError when it is no room id. */
  join(room: string, { after, tail }: JoinOptions = {}): RoomHandle {
    if (!isRoomId(room)) throw new TypeError("not a room id: [A-Za-z0-9_-]{1,64}");
    const known = this.#rooms.get(room);
    if (known !== undefined) return known.handle;
    this.#step({ kind: "join", room, after, tail });
    const link = this.#createLink(room);
    const handle = new RoomHandle(link);
    this.#rooms.set(room, { handle, link });
    return handle;
  }

  #createLink(room: RoomId): RoomLink {
    const view = this.#client.room(room);
    if (view === undefined) throw new Error("unreachable: a room that was just joined is known");
    const link: RoomLink = {
      room,
      view,
      listeners: new Listeners<RoomNews>(),
      hasLeft: false,
      send: (body, options) => this.#send(link, room, body, options),
      typing: (on) => this.#step({ kind: "typing", room, on }),
      history: (range) => this.#history(link, room, range),
      leave: () => {
        link.hasLeft = true;
        this.#step({ kind: "leave", room });
      },
    };
    return link;
  }

  #send(link: RoomLink, room: RoomId, body: object, options: SendOptions): Outgoing {
    const { id, replyTo, trace } = options;
    const name = id ?? uuidv7(this.#clock.now(), this.#random);
    const pending = this.#outgoing.get(name);
    if (pending !== undefined) return pending; // The same message twice is one message.
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const outgoing = { id: name, done: promise, resolve };
    if (link.hasLeft) {
      resolve({ kind: "refused", error: "not_joined", message: "The room was left." });
      return outgoing;
    }
    this.#outgoing.set(name, outgoing);
    this.#step({ kind: "send", room, id: name, body, replyTo, trace });
    return outgoing;
  }

  #history(link: RoomLink, room: RoomId, range: PageRange): Promise<Page> {
    if (link.hasLeft) return Promise.reject(new HistoryFailed("not_joined", "The room was left."));
    const call = ++this.#calls;
    const pending = Promise.withResolvers<Page>();
    this.#pages.set(call, pending);
    this.#step({ kind: "history", call, room, range });
    return pending.promise;
  }

  #step(input: Input): void {
    const effects = this.#client.step(input, this.#clock.monotonic());
    for (const effect of effects) this.#queue.push(this.#bind(effect));
    if (this.#isPerforming) return; // parley.1: whoever performs now comes to these as well.
    this.#isPerforming = true;
    for (const perform of this.#queue) perform(); // Sees what is pushed while it runs, too.
    this.#queue.length = 0;
    this.#isPerforming = false;
    this.#arm();
  }

  /** parley.2: decides now whom an effect concerns; it is performed later. */
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
        // A socket that closes meanwhile says so by "ended", and what was lost is written again.
        if (this.#socket?.readyState === 1) this.#socket.send(effect.text);
        break;
      case "drop":
        this.#socket?.close();
        this.#socket = undefined;
        break;
      case "state":
        this.#listeners.emit("state", effect.state);
        break;
      case "fault":
        this.#listeners.emit("error", effect.fault);
        break;
      case "settled":
        this.#outgoing.get(effect.id)?.resolve(effect.result);
        this.#outgoing.delete(effect.id);
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
    const socket = new this.#webSocket(this.#options.url, [SUBPROTOCOL]);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#step({ kind: "opened", socket: number }));
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") this.#step({ kind: "text", socket: number, text: data });
    });
    socket.addEventListener("close", ({ code }) => {
      this.#step({ kind: "ended", socket: number, code });
    });
    // "close" follows every "error" and says all that may be known; this keeps it from being thrown.
    socket.addEventListener("error", () => undefined);
  }

  /** A tick that comes early is harmless, so a timer is moved only when it would be late. */
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

  readonly #onNetwork = (): void => {
    if (this.state === "waiting") this.#step({ kind: "connect" });
  };
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
    case "reset":
      listeners.emit("reset", effect.reset);
      break;
  }
}
