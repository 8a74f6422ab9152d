// HttpSockets: the connections of the HTTP server until they close or become WebSockets.
//
// Owns: how many there may be, in total and from one address; how long each may take; how many bytes of
// answers wait for their readers. Node's own timers are off: they judge a peer by time in which this
// process itself stood still, and they answer a connection that only idles.
//
//   http-sockets.1. Beyond `socketsMax`, or `socketsPerAddressMax` of one address, a new connection gets 503 and is
//        closed.
//   http-sockets.2. Time is counted at sweeps, `checkMs` for each at most. A sweep that is late judges nobody: what
//        came meanwhile still waits in the kernel and is read first.
//   http-sockets.3. A head or a body that is late gets 408. A connection without an unfinished request is closed
//        without a word, so that no client takes one for the answer to its next request.
//   http-sockets.4. An answer of which nothing was taken for `unreadMs`, and a second for each
//        `unreadBytesPerSecond` that are left of it, ends its connection.
//   http-sockets.5. A problem for broken bytes is written behind the answers that are still owed.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Counts } from "#shared/kit/counts.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { ProblemDetail } from "./problem.ts";
import { endWithProblem } from "./raw-answer.ts";

export interface HttpBounds {
  /** Connections that are not WebSockets. A crowd that comes back at once is that for a moment. */
  readonly socketsMax: number;
  /** The same from one address, a proxy left out; Infinity with LIMITS=off. */
  readonly socketsPerAddressMax: number;
  /** Bytes of answers that were not taken yet. Beyond it: `busy` for what answers much. */
  readonly answerBytesMax: number;
  /** A request's head must be here within this. */
  readonly headMs: number;
  /** And all of it within this. */
  readonly requestMs: number;
  /** A connection may wait for its next request for this long. */
  readonly idleMs: number;
  readonly unreadMs: number;
  readonly unreadBytesPerSecond: number;
  /** Between two sweeps; the deadlines are off by at most this. */
  readonly checkMs: number;
}

export const HTTP_BOUNDS: HttpBounds = {
  socketsMax: 10_000,
  socketsPerAddressMax: 1_000,
  answerBytesMax: 64 * 1024 * 1024,
  headMs: 5_000,
  requestMs: 15_000,
  idleMs: 65_000,
  unreadMs: 15_000,
  unreadBytesPerSecond: 64 * 1024,
  checkMs: 1_000,
};

/** Why a connection was closed or refused. */
const CLOSES = ["full", "address-full", "no-proxy", "late", "idle", "unread", "broken"] as const;
type Close = (typeof CLOSES)[number];

interface Tracked {
  address: string | undefined;
  /** Requests without a finished answer. */
  open: number;
  /** The newest one. */
  request: IncomingMessage | undefined;
  /** `read` when the last request ended; more means that a head is on its way. */
  idleRead: number;
  /** When the present state began: idle, a head on its way, a request. */
  since: number;
  isReadingHead: boolean;
  /** Bytes that the kernel has taken, and since when it is as many. */
  taken: number;
  takenAt: number;
  /** Written when the owed answers are (http-sockets.5). */
  last: (() => void) | undefined;
}

export class HttpSockets {
  readonly closes = new Counts<Close>(CLOSES);
  answerBytes = 0;
  sweeps = 0;
  readonly #bounds: HttpBounds;
  readonly #clock: Clock;
  readonly #tracked = new Map<Socket, Tracked>();
  readonly #addresses = new Map<string, number>();
  readonly #timer: Timer;
  #awakeMs = 0;
  #sweptAt: number;

  constructor(server: Server, clock: Clock, bounds: HttpBounds) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#sweptAt = clock.monotonic();
    this.#timer = clock.every(bounds.checkMs, () => this.#sweep());
    server.headersTimeout = 0;
    server.requestTimeout = 0;
    server.keepAliveTimeout = 0;
    server.prependListener("request", (request, response) => this.#onRequest(request, response));
  }

  get open(): number {
    return this.#tracked.size;
  }

  get isFullOfAnswers(): boolean {
    return this.answerBytes >= this.#bounds.answerBytesMax;
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** False when it was refused. */
  admit(socket: Socket): boolean {
    if (this.#tracked.size >= this.#bounds.socketsMax) return this.#refuseNew(socket, "full");
    this.#tracked.set(socket, {
      address: undefined,
      open: 0,
      request: undefined,
      idleRead: socket.bytesRead,
      since: this.#awakeMs,
      isReadingHead: false,
      taken: 0,
      takenAt: this.#awakeMs,
      last: undefined,
    });
    socket.once("close", () => this.release(socket));
    return true;
  }

  /** Counts an admitted connection by its client's address; undefined: it carries many clients. */
  count(socket: Socket, address: string | undefined): boolean {
    const tracked = this.#tracked.get(socket);
    if (tracked === undefined) return false; // It was closed while its header was read.
    tracked.idleRead = socket.bytesRead;
    tracked.isReadingHead = false;
    tracked.since = this.#awakeMs;
    if (address === undefined) return true;
    const count = this.#addresses.get(address) ?? 0;
    if (count >= this.#bounds.socketsPerAddressMax) return this.#refuseNew(socket, "address-full");
    this.#addresses.set(address, count + 1);
    tracked.address = address;
    return true;
  }

  /** Ends a connection without a word. */
  cut(socket: Socket, close: Close): void {
    this.closes.add(close);
    socket.destroy();
  }

  /** It became a WebSocket or is closed; it is no longer counted here. */
  release(socket: Socket): void {
    const tracked = this.#tracked.get(socket);
    if (tracked === undefined) return;
    this.#tracked.delete(socket);
    if (tracked.address === undefined) return;
    const count = (this.#addresses.get(tracked.address) ?? 0) - 1;
    if (count > 0) this.#addresses.set(tracked.address, count);
    else this.#addresses.delete(tracked.address);
  }

  /** Bytes of an answer that is about to be written; given back when its response closes. */
  hold(bytes: number, response: ServerResponse): void {
    if (response.destroyed) return;
    this.answerBytes += bytes;
    response.once("close", () => (this.answerBytes -= bytes));
  }

  /** Bytes that are no request came; nothing of the connection is read any more. */
  refuseBroken(socket: Socket, name: ErrorName, more: ProblemDetail): void {
    this.#refuse(socket, "broken", name, more);
  }

  #refuse(socket: Socket, close: Close, name: ErrorName, more: ProblemDetail): void {
    this.closes.add(close);
    const tracked = this.#tracked.get(socket);
    const write = (): void => endWithProblem(socket, name, more);
    if (tracked === undefined || tracked.open === 0) write();
    else tracked.last = write; // http-sockets.5
  }

  #refuseNew(socket: Socket, close: keyof typeof FULL): false {
    this.closes.add(close); // http-sockets.1
    endWithProblem(socket, "busy", { detail: FULL[close] });
    return false;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const tracked = this.#tracked.get(socket);
    if (tracked === undefined) return;
    tracked.open++;
    tracked.request = request;
    tracked.since = this.#awakeMs;
    tracked.isReadingHead = false;
    response.once("close", () => {
      tracked.open--;
      tracked.since = this.#awakeMs;
      tracked.idleRead = socket.bytesRead;
      if (tracked.open === 0) tracked.last?.();
    });
  }

  #sweep(): void {
    const { checkMs } = this.#bounds;
    const now = this.#clock.monotonic();
    const sinceMs = now - this.#sweptAt;
    this.#sweptAt = now;
    this.#awakeMs += Math.min(sinceMs, checkMs);
    this.sweeps++;
    if (sinceMs > 2 * checkMs) return; // http-sockets.2
    for (const [socket, tracked] of this.#tracked) this.#judge(socket, tracked);
  }

  #judge(socket: Socket, tracked: Tracked): void {
    const { headMs, requestMs, idleMs, checkMs } = this.#bounds;
    if (this.#isUnread(socket, tracked)) {
      return this.cut(socket, "unread");
    }
    if (socket.writableEnded) return; // Its last words are on their way; http-sockets.4 bounds them.
    const forMs = this.#awakeMs - tracked.since - checkMs;
    if (tracked.open > 0) {
      if (tracked.request?.complete === true || forMs < requestMs) return;
      const isAnswered = (tracked.request as { res?: ServerResponse } | undefined)?.res
        ?.headersSent;
      this.closes.add("late");
      tracked.last = undefined;
      if (isAnswered === true) socket.destroy();
      else endWithProblem(socket, "bad_frame", LATE); // http-sockets.3
      return;
    }
    if (!tracked.isReadingHead && socket.bytesRead > tracked.idleRead) {
      tracked.isReadingHead = true;
      tracked.since = this.#awakeMs;
      return;
    }
    if (tracked.isReadingHead) {
      if (forMs >= headMs) this.#refuse(socket, "late", "bad_frame", LATE);
      return;
    }
    const isNew = tracked.request === undefined;
    if (forMs < (isNew ? headMs : idleMs)) return;
    this.cut(socket, "idle");
  }

  #isUnread(socket: Socket, tracked: Tracked): boolean {
    const { unreadMs, unreadBytesPerSecond } = this.#bounds;
    const left = socket.writableLength;
    const taken = socket.bytesWritten - left;
    if (left === 0 || taken !== tracked.taken) {
      tracked.taken = taken;
      tracked.takenAt = this.#awakeMs;
      return false;
    }
    const patienceMs = unreadMs + (left / unreadBytesPerSecond) * 1_000;
    return this.#awakeMs - tracked.takenAt >= patienceMs;
  }
}

const FULL = {
  full: "Too many connections are open to this gateway.",
  "address-full": "Too many connections are open from this address.",
};
const LATE: ProblemDetail = { status: 408, detail: "The request did not arrive in time." };
