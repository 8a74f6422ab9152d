// Connection: one client's socket and its session; it performs the session's effects.
//
// Does not own: the order of its writes (socket-output.ts), the frames that wait to be taken
// (intake.ts).
//
//   gateway/connection.1. An exception while a connection is served ends that connection alone
//        (S10). A broken invariant is rethrown and ends the process.
//   gateway/connection.2. Bytes reach the socket only through `writeText` and `writeFrame`, and
//        both check the hard cap. Readers and pages write when the socket has room and they have
//        the turn (L7, L10).
//   gateway/connection.3. The end of a connection releases everything it holds exactly once: rooms,
//        counts, its place in the sweep.
//   gateway/connection.4. A connection that joined one room and has sent nothing to it needs little
//        memory: what most connections never use is made at its first use, and no connection has a
//        closure of its own (decision 060).

import { BrokenInvariant } from "#shared/kit/assert.ts";
import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { CLOSE } from "#shared/protocol/close-codes.ts";
import { decodeClientFrame } from "#shared/protocol/client-frames.ts";
import type { DecodedFrame } from "#shared/protocol/client-frames.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import { endReasonOf } from "#shared/protocol/session-records.ts";
import type { SessionId } from "#shared/protocol/session-records.ts";
import { encodeServerFrame } from "#shared/protocol/server-frames.ts";
import { SHED_FROM_BYTES, SOCKET_HARD_BYTES, SOCKET_HIGH_BYTES } from "../core/bounds.ts";
import type { Removal } from "../core/feed-io.ts";
import type { Peer } from "../core/admission.ts";
import { FrameLimit } from "../core/frame-limit.ts";
import { SocketTurns } from "../core/socket-turns.ts";
import { Session } from "../core/session.ts";
import type { SessionOptions } from "../core/session.ts";
import type { CloseReason, SessionEffect, SessionInput } from "../core/session-io.ts";
import type { UserNames } from "./user-names.ts";
import { openedSession } from "../core/session-register.ts";
import type { OpenedSession, SessionEntry, SessionNames } from "../core/session-register.ts";
import type { ClientWrite } from "../core/room-api-port.ts";
import type { RoomListsApi } from "../core/room-lists-port.ts";
import type { Authenticator } from "#shared/ports/identity.ts";
import type { ClientSocket, SocketHandlers } from "./client-socket.ts";
import type { Expiries, Expiring } from "./expiries.ts";
import { ABNORMAL } from "./gateway-stats.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import { Inlet } from "./intake.ts";
import type { InletOwner, Intake } from "./intake.ts";
import type { Member, MemberSink } from "./member.ts";
import type { ReadPositionsRunner } from "./read-positions-runner.ts";
import type { SessionRegisterRunner } from "./session-register-runner.ts";
import type { UserNotes } from "./user-notes.ts";
import type { Report } from "./report.ts";
import type { Rooms, Membership } from "./rooms.ts";
import type { Holder, SocketMemory } from "./socket-memory.ts";
import type { GatewayRoomApi } from "./room-api.ts";
import type { FlushScheduler } from "./flush-scheduler.ts";
import { SocketOutput } from "./socket-output.ts";
import { CoalescedTimer } from "./coalesced-timer.ts";

/** The `tail` of a join without `tail` and `after` (O7). */
const TAIL_DEFAULT = 50;
/** The time that a socket which is too far behind gets to accept the close frame. */
const CLOSE_GRACE_MS = 1_000;

/** All connections of the process share them. */
export interface ConnectionParts extends Required<SessionOptions> {
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly intake: Intake;
  readonly memory: SocketMemory;
  readonly auth: Authenticator;
  readonly rooms: Rooms;
  readonly roomApi: GatewayRoomApi;
  readonly lists: RoomListsApi;
  readonly names: Pick<UserNames, "say">;
  readonly positions: Pick<ReadPositionsRunner, "say">;
  readonly notes: Pick<UserNotes, "add" | "remove" | "subscribeNow">;
  readonly report: Report;
  readonly stats: GatewayStats;
  readonly register: Pick<SessionRegisterRunner, "open" | "keep" | "end">;
  readonly expiries: Expiries<Connection>;
  readonly onEnd: (connection: Connection, user: UserId | undefined) => void;
}

export class Connection implements MemberSink, SocketHandlers, Holder, Expiring, InletOwner {
  readonly name: SessionId;
  /** Only `expiries` sets it. */
  bucket: number | undefined;
  /** It counts for its address. Only the gateway sets it. */
  isCounted = false;
  readonly #parts: ConnectionParts;
  readonly #socket: ClientSocket;
  readonly #session: Session;
  /** The newest join of each room. */
  readonly #joined = new LazyMap<RoomId, Membership>();
  readonly #inlet: Inlet;
  /** Undefined while no room and no page reads. */
  #turns: SocketTurns<object> | undefined;
  /** Undefined until a turn has to wait. */
  #turnsTimer: CoalescedTimer | undefined;
  #isGrantingTurns = false;
  readonly #output: SocketOutput;
  /** Without a fraction, which would make it an object of V8. */
  #activeAt: Millis;
  #isEnded = false;
  /** Undefined until the token is verified. */
  #entry: SessionEntry | undefined;

  constructor(parts: ConnectionParts, socket: ClientSocket, name: SessionId) {
    const { clock, intake, admission } = parts;
    this.name = name;
    this.#parts = parts;
    this.#socket = socket;
    this.#output = new SocketOutput(socket);
    this.#session = new Session(parts, { name, address: socket.address });
    this.#inlet = new Inlet(intake, { socket, limit: new FrameLimit(admission), owner: this });
    this.#activeAt = Math.floor(clock.monotonic());
  }

  get address(): string {
    return this.#socket.address;
  }

  get isGreeting(): boolean {
    return this.#session.isGreeting;
  }

  /** The expiry of the token by the wall clock; Infinity until it is verified. */
  get endsAt(): Millis {
    return this.#session.endsAt;
  }

  /** The time at which the token was issued; 0 when the token does not name it. */
  get issuedAt(): Millis {
    return this.#session.identity?.issuedAt ?? 0;
  }

  /** Undefined until the token is verified. */
  get user(): UserId | undefined {
    return this.#session.identity?.user;
  }

  get peer(): Peer | undefined {
    const { user, address } = this;
    return user && { user, address };
  }

  /** The client does not read its answers. */
  get isFull(): boolean {
    return this.buffered > SOCKET_HIGH_BYTES;
  }

  get activeAt(): Millis {
    return this.#activeAt;
  }

  get buffered(): number {
    return this.#output.buffered;
  }

  onText(text: string): void {
    if (this.#isEnded) return;
    this.#inlet.onText(text);
    if (this.#inlet.bytes > 0) this.reportMemory();
  }

  onPing(): boolean {
    return !this.#isEnded && this.#inlet.onControl();
  }

  onPong(): void {
    this.onPing();
  }

  onBinary(): void {
    this.close(CLOSE.binaryFrame); // F5
  }

  onActivity(): void {
    this.#activeAt = Math.floor(this.#parts.clock.monotonic());
  }

  onDrain(): void {
    this.onActivity(); // A client that reads is active.
    this.reportMemory();
    this.#guard(() => this.#grantTurns());
    this.#inlet.onDrain();
  }

  onClose(): void {
    this.#end();
  }

  onOverdue(): void {
    // The first frame came in time. Its turn ends the greeting, whatever it is.
    if (!this.#inlet.isInLine) this.#step({ kind: "overdue" });
  }

  onTooMany(afterMs: Millis): void {
    this.#step({ kind: "too-many", afterMs });
  }

  ping(): void {
    this.#socket.ping();
  }

  writeText(text: string): void {
    if (this.#isEnded) return;
    if (this.#output.addText(text)) this.#parts.scheduler.connection(this);
    this.#enforceHardCap();
  }

  writeFrame(frame: Uint8Array): void {
    if (this.#isEnded) return;
    this.#output.writeFrame(frame);
    this.#enforceHardCap();
    // The socket holds these bytes itself, so they do not show yet that the client is slow.
    if (this.#socket.buffered > SOCKET_HIGH_BYTES) this.#output.release();
  }

  flush(): void {
    if (this.#isEnded || !this.#output.isPending) return;
    this.#output.flush();
    if (this.#turns?.isRequested === true) this.#guard(() => this.#grantTurns());
  }

  requestTurn(key: object, run: () => void): void {
    if (this.#isEnded) return;
    this.#turns ??= new SocketTurns<object>();
    this.#turns.request(key, run);
    this.#grantTurns();
  }

  endTurn(key: object): void {
    this.#turns?.end(key);
    if (this.#turns?.isRequested === true) this.#grantTurns();
    if (this.#turns?.isEmpty === true) this.#turns = undefined;
  }

  removed(member: Member, removal: Removal): void {
    const { room } = member;
    const joined = this.#joined.get(room);
    if (joined?.member !== member) return;
    this.#guard(() => {
      this.#leave(room);
      this.#step({ kind: "removed", room, attempt: member.attempt, removal });
    });
  }

  close(reason: CloseReason): void {
    if (this.#isEnded) return;
    this.#output.writeTexts();
    this.#end(reason);
    this.#parts.stats.closes.add(String(reason.code));
    this.#socket.close(reason.code, reason.reason);
  }

  /**
   * Closes a connection that is too far behind with 4000, and terminates it after a grace period.
   */
  closeAsSlow(): void {
    if (this.#isEnded) return;
    this.#output.discardTexts(); // The client has enough to read.
    this.#parts.stats.readersClosed.add("too_slow");
    this.close(CLOSE.slow);
    this.#parts.clock.after(CLOSE_GRACE_MS, () => this.#socket.terminate());
  }

  /** gateway/connection.2. */
  #enforceHardCap(): void {
    const { buffered } = this;
    if (buffered > SOCKET_HARD_BYTES) this.closeAsSlow();
    else if (buffered > SHED_FROM_BYTES && !this.#output.isHeld) this.reportMemory();
  }

  /**
   * Reports the memory that the connection holds because its client reads slowly or sends too much
   * (L9).
   */
  reportMemory(): void {
    if (this.#isEnded) return;
    this.#parts.memory.set(this, this.buffered + this.#inlet.bytes);
  }

  /** Gives turns to rooms and pages, one after the other, while the socket has room (L7). */
  #grantTurns(): void {
    if (this.#turns === undefined) return;
    if (this.#isGrantingTurns) return; // The outer call continues.
    this.#isGrantingTurns = true;
    const { clock } = this.#parts;
    try {
      while (!this.#isEnded && !this.isFull) {
        const run = this.#turns?.next(clock.monotonic());
        if (run === undefined) break;
        run();
      }
    } finally {
      this.#isGrantingTurns = false;
    }
    const wakeAt = this.isFull ? undefined : this.#turns?.wakeAt(clock.monotonic());
    if (wakeAt === undefined) return;
    this.#turnsTimer ??= new CoalescedTimer(clock, () => this.#guard(() => this.#grantTurns()));
    this.#turnsTimer.set(wakeAt);
  }

  take(line: string): void {
    this.#guard(() => {
      this.#parts.stats.framesIn++;
      this.#step({ kind: "frame", frame: this.#shared(decodeClientFrame(line)) });
    });
  }

  /** The members of a room keep one copy of its id, not one each. */
  #shared(decoded: DecodedFrame): DecodedFrame {
    if (decoded.kind !== "frame" || decoded.frame.t !== "join") return decoded;
    const { kind, frame } = decoded;
    return { kind, frame: { ...frame, room: this.#parts.rooms.sameId(frame.room) } };
  }

  grantIn(room: RoomId): Grant | undefined {
    const { identity } = this.#session;
    return identity && grantFor(room, identity);
  }

  /** Without a reason the client closed, or the connection broke. */
  #end(reason?: CloseReason): void {
    if (this.#isEnded) return;
    this.#output.release();
    this.#isEnded = true; // gateway/connection.3
    for (const membership of this.#joined.values()) membership.leave();
    this.#joined.clear();
    this.#parts.memory.set(this, 0);
    this.#parts.expiries.remove(this);
    this.#inlet.end();
    this.#turns = undefined;
    this.#turnsTimer?.cancel();
    this.#output.discardTexts();
    const user = this.#session.end()?.user;
    if (user !== undefined) {
      this.#parts.notes.remove(user, this);
      this.#endSession(user, reason);
    }
    this.#parts.onEnd(this, user);
  }

  #endSession(user: UserId, reason: CloseReason | undefined): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    const opened = this.#opened(user, entry.names);
    this.#parts.register.end(entry, opened, endReasonOf(reason));
  }

  /** The store may not have the session any more. */
  announce(): void {
    const [entry, { user }] = [this.#entry, this];
    if (entry === undefined || user === undefined) return;
    this.#parts.register.keep(entry, this.#opened(user, entry.names));
  }

  /** Runs code whose exception ends only this connection (gateway/connection.1). */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error: unknown) {
      if (error instanceof BrokenInvariant) throw error;
      this.#parts.report("connection closed after an exception", { error });
      this.#parts.stats.closes.add(ABNORMAL);
      this.#end();
      this.#socket.terminate();
    }
  }

  #step(input: SessionInput): void {
    if (this.#isEnded) return;
    const { clock } = this.#parts;
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    for (const effect of this.#session.step(input, now)) this.#perform(effect);
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case "frame":
        if (effect.frame.t === "error") this.#parts.stats.errors.add(effect.frame.name);
        if (effect.frame.t === "welcome") this.#parts.notes.add(effect.frame.user, this);
        return this.writeText(encodeServerFrame(effect.frame));
      case "text":
        return this.writeText(effect.text);
      case "close":
        return this.close(effect.reason);
      case "opened":
        return this.#open(effect);
      case "named":
        return this.#parts.names.say(effect.said);
      case "verify":
        return this.#verify(effect.token, undefined);
      case "verify-refresh":
        return this.#verify(effect.token, effect.ref);
      case "join":
        return this.#join(effect);
      case "leave":
        return this.#leave(effect.room);
      case "write":
        return this.#write(effect);
      case "typing":
        return this.#parts.roomApi.typing(effect.user, effect.room, effect.on);
      case "read":
        return this.#parts.positions.say(effect.user, effect.room, effect.seq);
      case "rooms":
        return this.#listRooms(effect);
      case "history":
        return this.#history(effect);
    }
  }

  #open({ user, names }: Extract<SessionEffect, { kind: "opened" }>): void {
    this.#entry = { revision: 0, names };
    this.#parts.register.open(this.#entry, this.#opened(user, names));
  }

  #opened(user: UserId, names: SessionNames | undefined): OpenedSession {
    return openedSession(this.name, { user, address: this.address, names });
  }

  #verify(token: string, ref: number | undefined): void {
    const { auth, clock, stats } = this.#parts;
    auth.verify(token, clock.now()).then(
      (verification) =>
        this.#guard(() => {
          stats.tokens.add(verification.kind);
          if (ref === undefined) this.#step({ kind: "verified", verification });
          else this.#step({ kind: "refreshed", ref, verification });
          if (!this.#isEnded) this.#parts.expiries.note(this);
        }),
      (error: unknown) =>
        this.#guard(() => {
          throw error;
        }),
    );
  }

  #join({ user, grant, attempt, frame }: Extract<SessionEffect, { kind: "join" }>): void {
    const { room, ref, after, tail = TAIL_DEFAULT } = frame;
    this.#leave(room); // A later join of the same room replaces an earlier one.
    const member: Member = { room, user, grant, ref, attempt, sink: this };
    const onRefused = (error: ErrorName, afterMs?: number): void => {
      if (this.#joined.get(room)?.member === member) this.#joined.delete(room);
      const more = afterMs !== undefined && { afterMs };
      this.#guard(() => this.#step({ kind: "join-refused", room, ref, attempt, error, ...more }));
    };
    const membership = this.#parts.rooms.join({ member, after, tail, onRefused });
    this.#joined.set(room, membership);
  }

  #leave(room: RoomId): void {
    this.#joined.get(room)?.leave();
    this.#joined.delete(room);
  }

  #write(write: ClientWrite): void {
    const { room, id } = write.frame;
    this.#parts.roomApi.writeWithCallback(write, (answer) => {
      this.#guard(() => this.#step({ kind: "write-answered", id, room, answer }));
    });
  }

  #listRooms({ ref, query }: Extract<SessionEffect, { kind: "rooms" }>): void {
    const key = {};
    this.requestTurn(key, () => {
      this.#parts.notes.subscribeNow(); // U6
      void this.#parts.lists.rooms(query).then((outcome) => {
        this.#guard(() => this.#step({ kind: "rooms", ref, outcome }));
        this.endTurn(key);
      });
    });
  }

  #history({ user, grant, frame }: Extract<SessionEffect, { kind: "history" }>): void {
    const { room, ref } = frame;
    const key = {};
    this.requestTurn(key, () => {
      void this.#parts.roomApi.pageText({ user, grant, ...frame }).then((outcome) => {
        this.#guard(() => this.#step({ kind: "page", ref, room, outcome }));
        this.endTurn(key);
      });
    });
  }
}
