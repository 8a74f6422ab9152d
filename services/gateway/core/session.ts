// Session: the protocol state of one connection, from hello to close.
//
// Owns: the identity and its expiry, the joined rooms, the number of unanswered requests. Does not
// own: the socket, the verification of tokens, the rooms. The runtime performs the effects in
// order.
//
//   session.1. The first frame is `hello`. No other frame is handled before its token is verified
//        (S1). Frames that arrive meanwhile wait, at most GREETING_FRAMES_MAX.
//   session.2. Every frame gets exactly one answer or error. A broken frame changes nothing (F4).
//   session.3. After the token expired, every frame but `refresh`, `ping` and `leave` gets
//        `token_expired`, until the gateway's sweep closes the session (S4).
//   session.4. Every temporary refusal of a send goes through SendOrder, whether this session, the
//        lane or the owner refused it. So no later send of that room overtakes it (O4).
//   session.5. `send` and `typing` need a joined room (S6). A join without an answer counts: the
//        lane keeps the order, so a client can send right after `join`. Another write has a place
//        in the order of its room only while the room is joined.
//   session.6. A removal ends exactly the membership that it names. The session then gets `left`
//        and is no longer in the room (M8).

import { unreachable } from "#shared/kit/assert.ts";
import { GcraBucket } from "#shared/kit/gcra.ts";
import type { ClientFrame, ClientFrameOf, DecodedFrame } from "#shared/protocol/client-frames.ts";
import { isWriteFrame, needsJoin } from "#shared/protocol/commands.ts";
import type { WriteFrame } from "#shared/protocol/commands.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { RETRY_AFTER_MS } from "#shared/protocol/errors.ts";
import type { ErrorDetail, ErrorName } from "#shared/protocol/errors.ts";
import type { Millis, UserId } from "#shared/protocol/ids.ts";
import {
  BODY_BYTES_MAX,
  FRAME_BYTES_MAX,
  ROOMS_PER_CONNECTION_MAX,
  UNANSWERED_SENDS_MAX,
} from "#shared/protocol/limits.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { Identity, Verification } from "#shared/ports/identity.ts";
import type { Action, Admission, Peer } from "./admission.ts";
import {
  GREETING_FRAMES_MAX,
  PAGES_PER_SESSION_MAX,
  REFRESH_RATE,
  ROOMS_PAGE_DEFAULT,
} from "./bounds.ts";
import { namesOf } from "./session-register.ts";
import { OVERLOADED } from "./shedding.ts";
import type { Shedding } from "./shedding.ts";
import { named, onJoinRefused, onLeave, onPage, onRemoved, onRooms } from "./open-session.ts";
import { onWriteAnswered, OpenSession, refuse } from "./open-session.ts";
import type { CloseReason, Now, SessionEffect, SessionInput } from "./session-io.ts";

/** All sessions of a gateway share them. */
export interface SessionOptions {
  readonly pingMs: number;
  readonly admission: Admission;
  /** Default: nothing is refused because of overload. */
  readonly shedding?: Pick<Shedding, "refuse">;
}

export interface SessionClient {
  /** The session's name in `welcome`. */
  readonly name: SessionId;
  readonly address: string;
}

type State =
  | { readonly kind: "greeting" }
  | {
      readonly kind: "authenticating";
      readonly hello: ClientFrameOf<"hello">;
      readonly waiting: DecodedFrame[];
    }
  | OpenSession
  /** The identity before the close, until the runtime has read it. */
  | { readonly kind: "closing"; readonly was: Identity | undefined };

const GREETING: State = { kind: "greeting" };

export class Session {
  readonly #options: SessionOptions;
  readonly #name: SessionId;
  readonly #address: string;
  #state: State = GREETING;
  #attempts = 0;
  /** Undefined before the first refresh. */
  #refreshes: GcraBucket | undefined;
  /** The user whose rooms are counted, and the counted number (S5). */
  #user: UserId | undefined;
  #roomsTaken = 0;

  constructor(options: SessionOptions, { name, address }: SessionClient) {
    this.#options = options;
    this.#name = name;
    this.#address = address;
  }

  /** Undefined before the token is verified and after the close. */
  get identity(): Identity | undefined {
    return this.#identityIn(this.#state);
  }

  /** The expiry of the token by the wall clock; Infinity before the token is verified. */
  get endsAt(): Millis {
    return this.identity?.expiresAt ?? Infinity;
  }

  get isGreeting(): boolean {
    return this.#state.kind === "greeting" || this.#state.kind === "authenticating";
  }

  step(input: SessionInput, now: Now): SessionEffect[] {
    const effects = this.#step(input, now);
    this.#releaseRooms();
    return effects;
  }

  #step(input: SessionInput, now: Now): SessionEffect[] {
    const state = this.#state;
    switch (input.kind) {
      case "frame":
        return this.#onFrame(input.frame, now);
      case "verified":
        return this.#onVerified(input.verification, now);
      case "refreshed":
        return state.kind === "open" ? this.#onRefreshed(state, input) : [];
      case "too-many":
        return this.#closeWithReconnect(input.afterMs);
      case "overdue":
        return state.kind === "greeting" ? this.#close(CLOSE.lateHello) : []; // S1
      case "write-answered":
        return state.kind === "open" ? onWriteAnswered(state, input, now) : [];
      case "join-refused":
        return state.kind === "open" ? onJoinRefused(state, input) : [];
      case "removed":
        return state.kind === "open" ? onRemoved(state, input) : [];
      case "page":
        return state.kind === "open" ? onPage(state, input) : [];
      case "rooms":
        return state.kind === "open" ? onRooms(state, input) : [];
      default:
        return unreachable(input);
    }
  }

  /** Ends the session in any state. Returns the identity once, if it was ever known. */
  end(): Identity | undefined {
    const state = this.#state;
    this.#state = { kind: "closing", was: undefined };
    this.#releaseRooms();
    return state.kind === "closing" ? state.was : this.#identityIn(state);
  }

  /** Keeps the user's room count in step with the session's rooms. */
  #releaseRooms(): void {
    const rooms = this.#state.kind === "open" ? this.#state.rooms.size : 0;
    for (; this.#roomsTaken > rooms; this.#roomsTaken--) {
      if (this.#user !== undefined) this.#options.admission.releaseRoom(this.#user);
    }
  }

  #onFrame(decoded: DecodedFrame, now: Now): SessionEffect[] {
    const state = this.#state;
    switch (state.kind) {
      case "greeting":
        if (decoded.kind !== "frame" || decoded.frame.t !== "hello") {
          return this.#close(CLOSE.noHello); // session.1
        }
        return this.#onHello(decoded.frame, now);
      case "authenticating":
        if (state.waiting.length >= GREETING_FRAMES_MAX) {
          return this.#close(CLOSE.tooManyEarlyFrames);
        }
        state.waiting.push(decoded);
        return [];
      case "open":
        if (decoded.kind === "frame") return this.#onOpen(state, decoded.frame, now);
        return this.#onBroken(state, decoded, now);
      case "closing":
        return [];
      default:
        return unreachable(state);
    }
  }

  #onHello(hello: ClientFrameOf<"hello">, now: Now): SessionEffect[] {
    const afterMs = this.#options.admission.tokenWaitMs(this.#address, now.monotonic);
    if (afterMs > 0) return this.#closeWithReconnect(afterMs); // S14
    this.#state = { kind: "authenticating", hello, waiting: [] };
    return [{ kind: "verify", token: hello.token }];
  }

  /** Sends one typed error. A client that sends only broken frames is closed (F4). */
  #onBroken(
    state: OpenSession,
    { error, ref, id, message }: Extract<DecodedFrame, { kind: "refused" }>,
    now: Now,
  ): SessionEffect[] {
    const verdict = this.#options.admission.take("broken", this.#peer(state), now.monotonic);
    if (!verdict.ok) return this.#close(CLOSE.tooManyBrokenFrames);
    return [refuse(error, { ref, id, message })];
  }

  #onVerified(verification: Verification, now: Now): SessionEffect[] {
    const state = this.#state;
    if (state.kind !== "authenticating") return [];
    const { admission, pingMs } = this.#options;
    if (verification.kind === "refused") {
      if (verification.error === "unavailable") return this.#close(CLOSE.noKeys); // S2
      admission.failToken(this.#address, now.monotonic);
      return this.#close(CLOSE.badToken);
    }
    const { identity } = verification;
    if (!admission.enter(identity.user)) return this.#close(CLOSE.tooManyConnections);
    this.#state = new OpenSession(identity);
    this.#user = identity.user;
    const limits = {
      frameBytes: FRAME_BYTES_MAX,
      bodyBytes: BODY_BYTES_MAX,
      unansweredSends: UNANSWERED_SENDS_MAX,
      rooms: ROOMS_PER_CONNECTION_MAX,
    };
    const { user, name: said, issuedAt = now.wall } = identity;
    return [
      {
        kind: "frame",
        frame: { t: "welcome", session: this.#name, user, at: now.wall, pingMs, limits },
      },
      { kind: "opened", user, names: namesOf(state.hello) },
      ...(said === undefined
        ? []
        : [{ kind: "named", said: { user, name: said, at: issuedAt } } as const]),
      ...state.waiting.flatMap((frame) => this.#onFrame(frame, now)),
    ];
  }

  #onRefreshed(
    state: OpenSession,
    { ref, verification }: Extract<SessionInput, { kind: "refreshed" }>,
  ): SessionEffect[] {
    if (verification.kind === "refused") {
      const { error, ...more } = verification;
      return [refuse(error, { ref, ...("afterMs" in more && { afterMs: more.afterMs }) })];
    }
    const { identity } = verification;
    if (identity.user !== state.identity.user) return [refuse("unauthorized", { ref })]; // S4
    const before = state.identity;
    state.identity = identity;
    const refreshed = { t: "refreshed", ref, until: identity.expiresAt } as const;
    return [
      { kind: "frame", frame: refreshed },
      ...(this.#grantsAlike(state, before) ? [] : this.#close(CLOSE.otherGrants)),
    ];
  }

  /**
   * Whether the token gives the same role in each joined room as the one before. Only the owner
   * knows what another grant changes, and it judges each `join`, so the client joins again (M4).
   */
  #grantsAlike({ rooms, identity }: OpenSession, before: Identity): boolean {
    for (const room of rooms.keys()) {
      if (grantFor(room, identity) !== grantFor(room, before)) return false;
    }
    return true;
  }

  #onOpen(state: OpenSession, frame: ClientFrame, now: Now): SessionEffect[] {
    if (frame.t === "ping") {
      return [{ kind: "frame", frame: { t: "pong", ref: frame.ref, at: now.wall } }];
    }
    if (frame.t === "refresh") return this.#onRefresh(state, frame, now);
    if (frame.t === "leave") return onLeave(state, frame);
    // session.3
    if (now.wall >= state.identity.expiresAt) return [refuse("token_expired", named(frame))];
    if (isWriteFrame(frame)) return this.#onWrite(state, frame, now);
    switch (frame.t) {
      case "hello":
        return [refuse("bad_frame", { message: "This connection has sent hello already." })];
      case "join":
        return this.#onJoin(state, frame, now);
      case "typing":
        return this.#onTyping(state, frame, now);
      case "history":
        return this.#onHistory(state, frame, now);
      case "read":
        return this.#onRead(state, frame, now);
      case "rooms":
        return this.#onRooms(state, frame, now);
      default:
        return unreachable(frame);
    }
  }

  /** Each refresh costs a signature check, so a connection and a user have a low rate (S12). */
  #onRefresh(
    state: OpenSession,
    { ref, token }: ClientFrameOf<"refresh">,
    now: Now,
  ): SessionEffect[] {
    const { admission } = this.#options;
    if (admission.isOn) {
      this.#refreshes ??= new GcraBucket();
      const afterMs = this.#refreshes.waitMs(REFRESH_RATE, now.monotonic);
      if (afterMs > 0) return [refuse("rate_limited", { ref, afterMs })];
      const limited = this.#limit("refresh", state, { ref }, now);
      if (limited !== undefined) return [limited];
      this.#refreshes.charge(REFRESH_RATE, now.monotonic);
    }
    return [{ kind: "verify-refresh", ref, token }];
  }

  #onJoin(state: OpenSession, frame: ClientFrameOf<"join">, now: Now): SessionEffect[] {
    const { room, ref } = frame;
    if (!state.rooms.has(room) && state.rooms.size >= ROOMS_PER_CONNECTION_MAX) {
      return [
        refuse("rate_limited", {
          ref,
          room,
          message: "This connection has joined its maximum number of rooms.",
        }),
      ];
    }
    const shed = this.#shed(frame.after === undefined ? "read" : "resume", { ref, room });
    if (shed !== undefined) return [shed];
    const limited = this.#limit("join", state, { ref, room }, now);
    if (limited !== undefined) return [limited];
    if (!state.rooms.has(room)) {
      if (!this.#options.admission.takeRoom(state.identity.user)) {
        return [
          refuse("rate_limited", {
            ref,
            room,
            message: "This user has joined their maximum number of rooms over all connections.",
          }),
        ];
      }
      this.#roomsTaken++;
    }
    const attempt = ++this.#attempts;
    state.rooms.set(room, attempt);
    const { identity } = state;
    const grant = grantFor(room, identity);
    return [{ kind: "join", user: identity.user, grant, attempt, frame }];
  }

  #onWrite(state: OpenSession, frame: WriteFrame, now: Now): SessionEffect[] {
    const { room, id } = frame;
    const isJoined = state.rooms.has(room);
    if (!isJoined && needsJoin(frame)) return [refuse("not_joined", { id, room })]; // session.5
    const refusal = this.#refusalOf(state, frame, now);
    if (refusal !== undefined) {
      const { error, afterMs } = refusal;
      if (isJoined) state.order.postpone(room, id, now.monotonic, afterMs); // session.4
      return [refuse(error, { id, room, afterMs })];
    }
    state.order.pass(room, id, now.monotonic);
    state.unansweredSends++;
    const { identity } = state;
    return [{ kind: "write", user: identity.user, grant: grantFor(room, identity), frame }];
  }

  /** The temporary refusal of this send, if there is one. */
  #refusalOf(
    state: OpenSession,
    { room, id }: WriteFrame,
    now: Now,
  ): { readonly error: ErrorName; readonly afterMs: number } | undefined {
    if (state.unansweredSends >= UNANSWERED_SENDS_MAX) {
      return { error: "busy", afterMs: RETRY_AFTER_MS }; // S5
    }
    // This check precedes the rates: a send that waits for another one must not use its token.
    if (!state.order.mayPass(room, id, now.monotonic)) {
      return { error: "busy", afterMs: state.order.afterMs(room, now.monotonic) };
    }
    const verdict = this.#options.admission.take("send", this.#peer(state), now.monotonic);
    return verdict.ok ? undefined : { error: "rate_limited", afterMs: verdict.afterMs };
  }

  #onTyping(state: OpenSession, frame: ClientFrameOf<"typing">, now: Now): SessionEffect[] {
    const { room, on } = frame;
    if (!state.rooms.has(room)) return [refuse("not_joined", { room })]; // S6
    if (this.#options.shedding?.refuse("read") !== undefined) return []; // Typing may be lost.
    const limited = this.#limit("typing", state, { room }, now);
    return [limited ?? { kind: "typing", user: state.identity.user, room, on }];
  }

  #onRead(state: OpenSession, frame: ClientFrameOf<"read">, now: Now): SessionEffect[] {
    const { room, seq } = frame;
    if (!state.rooms.has(room)) return [refuse("not_joined", { room })];
    const limited = this.#limit("read", state, { room }, now);
    return [limited ?? { kind: "read", user: state.identity.user, room, seq }];
  }

  #onRooms(state: OpenSession, frame: ClientFrameOf<"rooms">, now: Now): SessionEffect[] {
    const { ref, after, limit = ROOMS_PAGE_DEFAULT } = frame;
    const refused = this.#admitPage(state, { ref }, now, Math.ceil(limit / ROOMS_PAGE_DEFAULT));
    if (refused !== undefined) return [refused];
    state.unansweredPages++;
    return [{ kind: "rooms", ref, query: { user: state.identity.user, after, limit } }];
  }

  #onHistory(state: OpenSession, frame: ClientFrameOf<"history">, now: Now): SessionEffect[] {
    const { room, ref } = frame;
    const refused = this.#admitPage(state, { ref, room }, now);
    if (refused !== undefined) return [refused];
    state.unansweredPages++;
    const { identity } = state;
    return [{ kind: "history", user: identity.user, grant: grantFor(room, identity), frame }];
  }

  /** The refusal of a page of history, or of a room list, which costs by its rooms. */
  #admitPage(
    state: OpenSession,
    detail: ErrorDetail,
    now: Now,
    cost = 1,
  ): SessionEffect | undefined {
    if (state.unansweredPages >= PAGES_PER_SESSION_MAX) return refuse("busy", detail);
    return this.#shed("read", detail) ?? this.#limit("history", state, detail, now, cost);
  }

  /** L12. */
  #shed(work: "read" | "resume", detail: ErrorDetail): SessionEffect | undefined {
    const afterMs = this.#options.shedding?.refuse(work);
    if (afterMs === undefined) return undefined;
    return refuse("busy", { ...detail, afterMs, message: OVERLOADED });
  }

  #limit(
    action: Action,
    state: OpenSession,
    detail: ErrorDetail,
    now: Now,
    cost = 1,
  ): SessionEffect | undefined {
    const peer = this.#peer(state);
    const verdict = this.#options.admission.take(action, peer, now.monotonic, cost);
    return verdict.ok ? undefined : refuse("rate_limited", { ...detail, afterMs: verdict.afterMs });
  }

  #peer(state: OpenSession): Peer {
    return { user: state.identity.user, address: this.#address };
  }

  #identityIn(state: State): Identity | undefined {
    return state.kind === "open" ? state.identity : undefined;
  }

  /** Before the welcome: the client reconnects after at least `afterMs`. */
  #closeWithReconnect(afterMs: Millis): SessionEffect[] {
    const frame = { t: "reconnect", afterMs } as const;
    return [{ kind: "frame", frame }, ...this.#close(CLOSE.tooManyTries)];
  }

  #close(reason: CloseReason): SessionEffect[] {
    this.#state = { kind: "closing", was: this.identity };
    return [{ kind: "close", reason }];
  }
}
