// Connection: the state of the client's connection, from the first token to the last close.
//
//   idle → connecting (token → socket → hello) → online ⇄ waiting; closed from any state.
//
// Owns: when to connect, the step after a close, `hello`, pings, the renewal of the token.
// Does not own: rooms and messages; sockets and timers, which are numbers and times here.
//
//   sdk/connection.1. There is at most one socket and at most one wait.
//   sdk/connection.2. A wait is RECONNECT with full jitter (K1), unless the server named one. The
//       exponent is reset only after a connection of at least STEADY_MS, so that a server that
//       accepts and drops connections does not get a fast loop. A wait that the server names before
//       its welcome is the minimum: the backoff is added, so that many refused clients do not
//       return together.
//   sdk/connection.3. The table of close codes determines the step after a close (K4). After a bad
//       token the client tries one new token, if it has a token function. After a second bad token
//       in a row it stops.
//   sdk/connection.4. A connection is declared dead when a ping has no answer for 1.5 periods (2.5
//       since the last received frame), or when a request has no answer and no frame arrives for
//       ANSWER_SILENCE_MS. Silence counts only after a request, so that a page that the browser
//       suspended keeps its connection.
//   sdk/connection.5. A wake ends a wait. On a connection it writes a ping, whose answer must come
//       within WAKE_ANSWER_MS: after a sleep or a change of the network it is often dead.
//   sdk/connection.6. A suspend drops the connection and waits for a wake. A browser does not put a
//       page with a connection aside as it is.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import { nextStep } from "#shared/protocol/close-codes.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import {
  AFTER_MS_MAX,
  ANSWER_SILENCE_MS,
  CONNECT_TIMEOUT_MS,
  LEAVING_GRACE_MS,
  RECONNECT,
  RECONNECT_SLOWLY,
  RECONNECT_SLOWLY_LEAST_MS,
  STEADY_MS,
  SUSPENDED_MS,
  WAKE_ANSWER_MS,
} from "./bounds.ts";
import type { ConnectionState, Effect } from "./effects.ts";
import { Refresh } from "./refresh.ts";
import { tokenExpiry } from "./token-expiry.ts";

export interface ConnectionOptions {
  /** The application passed a token function, not one token. */
  readonly canRefresh: boolean;
  readonly client?: string | undefined;
  readonly device?: string | undefined;
  readonly random: Random;
}

export interface Welcome {
  readonly session: string;
  readonly user: string;
  readonly at: Millis;
  readonly pingMs: number;
}

interface Online {
  readonly kind: "online";
  readonly socket: number;
  readonly since: Millis;
  readonly pingMs: number;
  /** The server's clock minus the local clock. */
  readonly aheadMs: number;
  readonly receivedAt: Millis;
  /** When the unanswered ping was written. */
  readonly pingedAt?: Millis;
  /** An answer must arrive before this time. */
  readonly answerBy?: Millis;
  /** The server sent `reconnect`. */
  readonly leaving?: { readonly closeAt: Millis; readonly returnAt: Millis };
}

interface Connecting {
  readonly kind: "connecting";
  readonly step: Step;
  readonly until: Millis;
  /** From a `reconnect` before the welcome: the next attempt is not before this time. */
  readonly notBefore?: Millis;
}

type State =
  | { readonly kind: "idle" | "closed" }
  | Connecting
  | Online
  | { readonly kind: "waiting"; readonly until: Millis };

type Step =
  | { readonly kind: "token"; readonly ask: number }
  | { readonly kind: "socket"; readonly socket: number; readonly token: string }
  | { readonly kind: "hello"; readonly socket: number; readonly expiresAt: Millis | undefined };

export class Connection {
  readonly #options: ConnectionOptions;
  readonly refresh: Refresh;
  #state: State = { kind: "idle" };
  #asks = 0;
  #sockets = 0;
  /** Failed attempts since the last steady connection. */
  #attempt = 0;
  #hasTriedFresh = false;
  #session: string | undefined;
  #closeCode: number | undefined;
  #user: string | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.refresh = new Refresh(options.random);
  }

  get state(): ConnectionState {
    return this.#state.kind;
  }

  get user(): string | undefined {
    return this.#user;
  }

  /** The latest session, as the last welcome named it. */
  get session(): string | undefined {
    return this.#session;
  }

  /** The code of the last close by the other side. */
  get closeCode(): number | undefined {
    return this.#closeCode;
  }

  get retryAt(): Millis | undefined {
    return this.#state.kind === "waiting" ? this.#state.until : undefined;
  }

  /** The socket to write to; undefined before `welcome` and after a disconnect. */
  get onlineSocket(): number | undefined {
    return this.#state.kind === "online" ? this.#state.socket : undefined;
  }

  /** False after `reconnect`: a request that is written now would be sent twice. */
  get isWritable(): boolean {
    return this.#state.kind === "online" && this.#state.leaving === undefined;
  }

  isCurrent(socket: number): boolean {
    return this.#socket === socket;
  }

  connect(now: Millis): readonly Effect[] {
    const { kind } = this.#state;
    if (kind === "connecting" || kind === "online") return [];
    if (kind !== "waiting") {
      this.#attempt = 0;
      this.#hasTriedFresh = false;
    }
    // In the state "waiting" the application called `connect`, or the network is back.
    return this.#begin(now);
  }

  /** sdk/connection.5. */
  wake(now: Millis, newRef: () => number): readonly Effect[] {
    const state = this.#state;
    if (state.kind === "waiting") return this.#begin(now);
    if (state.kind !== "online") return [];
    this.#state = { ...state, pingedAt: now, answerBy: now + WAKE_ANSWER_MS };
    return [write(state.socket, { t: "ping", ref: newRef() })];
  }

  /** sdk/connection.6. */
  suspend(now: Millis): readonly Effect[] {
    const { kind } = this.#state;
    if (kind !== "online" && kind !== "connecting") return [];
    return [...this.#drop(false), ...this.#enter({ kind: "waiting", until: now + SUSPENDED_MS })];
  }

  close(): readonly Effect[] {
    if (this.#state.kind === "closed") return [];
    return [...this.#drop(false), ...this.#enter({ kind: "closed" })];
  }

  onToken(ask: number, token: string, now: Millis, newRef: () => number): readonly Effect[] {
    const state = this.#state;
    if (state.kind === "online" && this.refresh.isAsking(ask)) {
      const ref = newRef();
      this.refresh.onToken(ask, ref, now);
      return [write(state.socket, { t: "refresh", ref, token })];
    }
    if (state.kind !== "connecting" || state.step.kind !== "token" || state.step.ask !== ask) {
      return [];
    }
    const socket = ++this.#sockets;
    this.#state = { ...state, step: { kind: "socket", socket, token } };
    return [{ kind: "open", socket }];
  }

  onTokenFailed(ask: number, now: Millis): readonly Effect[] {
    const state = this.#state;
    if (this.refresh.isAsking(ask)) {
      this.refresh.onFailed(now);
      return [tokenFault()];
    }
    if (state.kind !== "connecting" || state.step.kind !== "token" || state.step.ask !== ask) {
      return [];
    }
    return [tokenFault(), ...this.#wait(now)];
  }

  onOpened(socket: number): readonly Effect[] {
    const state = this.#state;
    if (state.kind !== "connecting" || state.step.kind !== "socket") return [];
    if (state.step.socket !== socket) return [];
    const { token } = state.step;
    this.#state = { ...state, step: { kind: "hello", socket, expiresAt: tokenExpiry(token) } };
    const session = this.#session;
    const { client, device } = this.#options;
    // JSON leaves out what is undefined.
    return [write(socket, { t: "hello", token, session, client, device })];
  }

  onWelcome({ session, user, at, pingMs }: Welcome, now: Millis): readonly Effect[] {
    const state = this.#state;
    if (state.kind !== "connecting" || state.step.kind !== "hello") return [];
    const { socket, expiresAt } = state.step;
    this.#session = session;
    this.#user = user;
    this.#hasTriedFresh = false;
    this.#setTokenEnd(expiresAt === undefined ? undefined : expiresAt - at, now);
    const aheadMs = at - now;
    return this.#enter({ kind: "online", socket, since: now, pingMs, aheadMs, receivedAt: now });
  }

  onRefreshed(ref: number, until: Millis, now: Millis): void {
    if (this.#state.kind !== "online" || !this.refresh.hasSent(ref)) return;
    this.#setTokenEnd(until - (now + this.#state.aheadMs), now);
  }

  onReconnect(afterMs: number, now: Millis): void {
    const state = this.#state;
    const returnAt = now + clampMs(afterMs);
    if (state.kind === "connecting") this.#state = { ...state, notBefore: returnAt };
    if (state.kind !== "online") return;
    this.#state = { ...state, leaving: { closeAt: now + LEAVING_GRACE_MS, returnAt } };
  }

  /** Call it for every received line. */
  onReceived(now: Millis): void {
    if (this.#state.kind !== "online") return;
    const { pingedAt: _pingedAt, answerBy: _answerBy, ...state } = this.#state;
    this.#state = { ...state, receivedAt: now };
  }

  onEnded(code: number, now: Millis): readonly Effect[] {
    this.#closeCode = code;
    const next = nextStep(code); // sdk/connection.3
    switch (next) {
      case "reconnect":
        return this.#wait(now);
      case "reconnect-slowly":
        return this.#wait(now, RECONNECT_SLOWLY, RECONNECT_SLOWLY_LEAST_MS);
      case "renew-token": // Every attempt calls the token function.
        if (!this.#options.canRefresh) break;
        return this.#wait(now);
      case "replace-token":
        if (!this.#options.canRefresh || this.#hasTriedFresh) break;
        this.#hasTriedFresh = true;
        return this.#begin(now);
      case "stop":
        break;
      default:
        next satisfies never;
    }
    return this.#enter({ kind: "closed" });
  }

  /** Drops the connection and connects again after a wait. */
  abandon(now: Millis): readonly Effect[] {
    const state = this.#state;
    const isLeaving = state.kind === "online" && state.leaving !== undefined;
    return [...this.#drop(!isLeaving), ...this.#wait(now)];
  }

  tick(now: Millis, unansweredSince: Millis | undefined, newRef: () => number): readonly Effect[] {
    const state = this.#state;
    if (state.kind === "waiting") return now >= state.until ? this.#begin(now) : [];
    if (state.kind === "connecting") return now >= state.until ? this.abandon(now) : [];
    if (state.kind !== "online") return [];
    if (now >= deadAt(state, unansweredSince)) return this.abandon(now); // sdk/connection.4
    const effects: Effect[] = [];
    if (state.pingedAt === undefined && now >= state.receivedAt + state.pingMs) {
      this.#state = { ...state, pingedAt: now };
      effects.push(write(state.socket, { t: "ping", ref: newRef() }));
    }
    if (this.refresh.tick(now, this.#asks + 1)) {
      effects.push({ kind: "ask-token", ask: ++this.#asks });
    }
    return effects;
  }

  wakeAt(unansweredSince: Millis | undefined): Millis | undefined {
    const state = this.#state;
    if (state.kind === "waiting" || state.kind === "connecting") return state.until;
    if (state.kind !== "online") return undefined;
    const pingAt = state.pingedAt === undefined ? state.receivedAt + state.pingMs : Infinity;
    const at = Math.min(pingAt, deadAt(state, unansweredSince), this.refresh.wakeAt ?? Infinity);
    return Number.isFinite(at) ? at : undefined;
  }

  get #socket(): number | undefined {
    const state = this.#state;
    if (state.kind === "online") return state.socket;
    if (state.kind !== "connecting" || state.step.kind === "token") return undefined;
    return state.step.socket;
  }

  #setTokenEnd(lifeMs: Millis | undefined, now: Millis): void {
    this.refresh.begin(this.#options.canRefresh ? lifeMs : undefined, now);
  }

  #begin(now: Millis): readonly Effect[] {
    const ask = ++this.#asks;
    const until = now + CONNECT_TIMEOUT_MS;
    const entered = this.#enter({ kind: "connecting", step: { kind: "token", ask }, until });
    return [...entered, { kind: "ask-token", ask }];
  }

  #wait(now: Millis, backoff = RECONNECT, leastMs = 0): readonly Effect[] {
    const state = this.#state;
    const leaving = state.kind === "online" ? state.leaving : undefined;
    // sdk/connection.2
    if (state.kind === "online" && now - state.since >= STEADY_MS) this.#attempt = 0;
    const notBefore = (state.kind === "connecting" && state.notBefore) || now;
    const until =
      leaving === undefined
        ? Math.max(now + leastMs, notBefore) +
          fullJitter(this.#attempt++, backoff, this.#options.random)
        : Math.max(now, leaving.returnAt);
    return this.#enter({ kind: "waiting", until });
  }

  #drop(isSilent: boolean): readonly Effect[] {
    const socket = this.#socket;
    return socket === undefined ? [] : [{ kind: "drop", socket, isSilent }];
  }

  #enter(state: State): readonly Effect[] {
    this.#state = state;
    if (state.kind !== "online") this.refresh.stop();
    return [{ kind: "state", state: state.kind }];
  }
}

function deadAt(state: Online, unansweredSince: Millis | undefined): Millis {
  const { pingedAt, pingMs, receivedAt, leaving, answerBy = Infinity } = state;
  const ping = pingedAt === undefined ? Infinity : pingedAt + pingMs * 1.5;
  const answer =
    unansweredSince === undefined
      ? Infinity
      : Math.max(receivedAt, unansweredSince) + ANSWER_SILENCE_MS;
  return Math.min(ping, answer, answerBy, leaving?.closeAt ?? Infinity);
}

function clampMs(afterMs: number): number {
  return Number.isFinite(afterMs) ? Math.min(Math.max(afterMs, 0), AFTER_MS_MAX) : 0;
}

function write(socket: number, frame: object): Effect {
  return { kind: "write", socket, text: JSON.stringify(frame) };
}

function tokenFault(): Effect {
  return { kind: "fault", fault: { name: "unauthorized", message: "The token function failed." } };
}
