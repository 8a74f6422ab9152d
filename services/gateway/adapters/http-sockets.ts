// HttpSockets: the connections of the HTTP server until they close or become WebSockets.
//
// Owns: their number in total and per address, their timeouts, and the unread bytes of answers.
// Node's own timers are off: they count an event loop stall of this process against the peer, and
// they send an answer on an idle connection.
//
//   http-sockets.1. A new connection beyond `socketsMax`, or `socketsPerAddressMax` of its address,
//        gets 503 and is closed.
//   http-sockets.2. Each sweep counts at most `checkMs` of time. A late sweep closes no connection,
//        because data that arrived meanwhile is still in the kernel and is read first.
//   http-sockets.3. A late head or body gets 408. An idle connection is closed without an answer,
//        so that its client does not take it for the answer to the next request.
//   http-sockets.4. A connection is closed when its client reads nothing of an answer for
//        `unreadMs` plus one second for each `unreadBytesPerSecond` bytes that are left.
//   http-sockets.5. The problem for broken bytes is written after the pending answers.
//   http-sockets.6. A request whose route allows an upload may take longer than `requestMs`. It is
//        late when nothing of it arrives for `requestMs`, or when it is slower than
//        `uploadBytesPerSecond`. When its client leaves, it ends at once.

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Counts } from "#shared/kit/counts.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";
import { endWithProblem } from "./raw-answer.ts";

export interface HttpBounds {
  /** Connections without WebSockets. Reconnecting clients count here for a moment. */
  readonly socketsMax: number;
  /** The same for one address, except for proxies. Infinity with LIMITS=off. */
  readonly socketsPerAddressMax: number;
  /** Unread bytes of answers. Beyond it, routes with large answers get `busy`. */
  readonly answerBytesMax: number;
  /** The timeout for the head of a request. */
  readonly headMs: number;
  /** The timeout for the whole request. */
  readonly requestMs: number;
  /** The least rate of an upload. */
  readonly uploadBytesPerSecond: number;
  /** The timeout of a connection between two requests. */
  readonly idleMs: number;
  readonly unreadMs: number;
  readonly unreadBytesPerSecond: number;
  /** The time between two sweeps; deadlines are inexact by at most this. */
  readonly checkMs: number;
}

export const HTTP_BOUNDS: HttpBounds = {
  socketsMax: 10_000,
  socketsPerAddressMax: 1_000,
  answerBytesMax: 64 * 1024 * 1024,
  headMs: 5_000,
  requestMs: 15_000,
  uploadBytesPerSecond: 16 * 1024,
  idleMs: 65_000,
  unreadMs: 15_000,
  unreadBytesPerSecond: 64 * 1024,
  checkMs: 1_000,
};

/** The headers of an answer to a request that no route answers (cors.ts). */
export type AnswerHeaders = (
  request: IncomingMessage | undefined,
) => Readonly<Record<string, string>>;

/** The reasons for which a connection is closed or refused. */
const CLOSES = ["full", "address-full", "no-proxy", "late", "idle", "unread", "broken"] as const;
type Close = (typeof CLOSES)[number];

interface Tracked {
  address: string | undefined;
  /** Requests without a finished answer. */
  open: number;
  /** The newest request. */
  request: IncomingMessage | undefined;
  /** Of the newest request (http-sockets.6). */
  upload: { readonly untilAt: number; read: number; readAt: number } | undefined;
  /** `bytesRead` when the last request ended. A larger value means that a head is arriving. */
  idleRead: number;
  /** The start of the present state: idle, a head is arriving, or a request is in progress. */
  since: number;
  isReadingHead: boolean;
  /** The bytes that the kernel has accepted, and the time of the last change. */
  taken: number;
  takenAt: number;
  /** Runs after the pending answers (http-sockets.5). */
  last: (() => void) | undefined;
  /** A WebSocket does not keep this listener. */
  readonly onClose: () => void;
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
  readonly #headersOf: AnswerHeaders;
  #awakeMs = 0;
  #sweptAt: number;

  constructor(server: Server, clock: Clock, bounds: HttpBounds, headersOf: AnswerHeaders) {
    this.#bounds = bounds;
    this.#headersOf = headersOf;
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

  /** False: the connection was refused. */
  admit(socket: Socket): boolean {
    if (this.#tracked.size >= this.#bounds.socketsMax) return this.#refuseNew(socket, "full");
    const onClose = (): void => this.release(socket);
    this.#tracked.set(socket, {
      address: undefined,
      open: 0,
      request: undefined,
      upload: undefined,
      idleRead: socket.bytesRead,
      since: this.#awakeMs,
      isReadingHead: false,
      taken: 0,
      takenAt: this.#awakeMs,
      last: undefined,
      onClose,
    });
    socket.on("close", onClose);
    return true;
  }

  /** Counts an admitted connection for its client's address. Undefined: it carries many clients. */
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

  /** Ends a connection without an answer. */
  cut(socket: Socket, close: Close): void {
    this.closes.add(close);
    socket.destroy();
  }

  /** The connection became a WebSocket or closed. */
  release(socket: Socket): void {
    const tracked = this.#tracked.get(socket);
    if (tracked === undefined) return;
    this.#tracked.delete(socket);
    socket.off("close", tracked.onClose);
    if (tracked.address === undefined) return;
    const count = (this.#addresses.get(tracked.address) ?? 0) - 1;
    if (count > 0) this.#addresses.set(tracked.address, count);
    else this.#addresses.delete(tracked.address);
  }

  /** Counts the bytes of an answer until its response closes. */
  hold(bytes: number, response: ServerResponse): void {
    if (response.destroyed) return;
    this.answerBytes += bytes;
    response.once("close", () => (this.answerBytes -= bytes));
  }

  /** http-sockets.6. `bytes`: of the body. */
  allowUpload({ socket }: IncomingMessage, bytes: number): void {
    const tracked = this.#tracked.get(socket);
    if (tracked === undefined) return;
    const { requestMs, uploadBytesPerSecond } = this.#bounds;
    const untilAt = this.#awakeMs + requestMs + (bytes / uploadBytesPerSecond) * 1_000;
    tracked.upload = { untilAt, read: socket.bytesRead, readAt: this.#awakeMs };
  }

  /** Refuses bytes that are not a request. No more of the connection is read. */
  refuseBroken(socket: Socket, name: ErrorName, more: ProblemDetail): void {
    this.#refuse(socket, "broken", name, more);
  }

  #refuse(socket: Socket, close: Close, name: ErrorName, more: ProblemDetail): void {
    this.closes.add(close);
    const tracked = this.#tracked.get(socket);
    // Its client left: the rest of the upload never comes.
    if (tracked?.upload !== undefined && tracked.request?.complete === false) {
      socket.destroy();
      return;
    }
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
    tracked.upload = undefined;
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
    // Its last answer is on its way; http-sockets.4 bounds the wait.
    if (socket.writableEnded) return;
    const forMs = this.#awakeMs - tracked.since - checkMs;
    if (tracked.open > 0) {
      if (tracked.request?.complete === true || forMs < requestMs) return;
      if (tracked.upload !== undefined && this.#isArriving(socket, tracked.upload)) return;
      const isAnswered = (tracked.request as { res?: ServerResponse } | undefined)?.res
        ?.headersSent;
      this.closes.add("late");
      tracked.last = undefined;
      // http-sockets.3
      if (isAnswered === true) socket.destroy();
      else endWithProblem(socket, "bad_frame", LATE, this.#headersOf(tracked.request));
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

  /** http-sockets.6. */
  #isArriving({ bytesRead }: Socket, upload: NonNullable<Tracked["upload"]>): boolean {
    const now = this.#awakeMs;
    if (bytesRead !== upload.read) {
      upload.read = bytesRead;
      upload.readAt = now;
    }
    return now < upload.untilAt && now - upload.readAt < this.#bounds.requestMs;
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
