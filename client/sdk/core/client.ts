// Client: the core of the SDK, without sockets, timers and promises.
//
//   step(input, now) returns effects, to be performed in order; `tick` is due at `wakeAt`.
//
// Owns: the connection, the outbox, the rooms and the pages, and the effects of one on the others.
// `now` is a clock that never goes back; only differences count.
//
//   client.1. It reconnects (connection.ts) and resumes each room from its cursor (room.ts).
//   client.2. After a reconnect it writes the joins, then, for each confirmed room, the unanswered
//       sends, with the same ids and in order (outbox.ts).
//   client.3. Events are delivered once and in order (cursor.ts).
//   client.4. After a close code whose next step is "stop" there is no further attempt. Each
//       pending call is refused.

import type { Random } from "#shared/ports/clock.ts";
import type { WriteFrame } from "#shared/protocol/commands.ts";
import type { ErrorFrame, ErrorName } from "#shared/protocol/errors.ts";
import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import { isMessageId, utf8Length } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { decodeServerFrame } from "#shared/protocol/server-frames.ts";
import type { HandledFrame, LeftFrame, PageFrame } from "#shared/protocol/server-frames.ts";
import { WIRE_SENDS_MAX } from "./bounds.ts";
import { Connection } from "./connection.ts";
import { earliest } from "./earliest.ts";
import type { ConnectionState, Effect, Input, Page } from "./effects.ts";
import { Outbox } from "./outbox.ts";
import type { Settled } from "./outbox.ts";
import { Pages } from "./pages.ts";
import { CLOSED, LEFT, NOT_JOINED, REMOVED } from "./refusals.ts";
import type { Cause } from "./refusals.ts";
import { Room } from "./room.ts";

export interface ClientOptions {
  readonly canRefresh: boolean;
  readonly client?: string | undefined;
  readonly device?: string | undefined;
  readonly random: Random;
  /** Default: SEND_DEADLINE_MS. */
  readonly sendDeadlineMs?: number | undefined;
}

type InputOf<K extends Input["kind"]> = Extract<Input, { kind: K }>;

export class Client {
  readonly #random: Random;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #pages: Pages;
  readonly #rooms: Map<RoomId, Room> = new Map();
  #refs = 0;
  #window = WIRE_SENDS_MAX;
  #steppedAt: Millis = 0;

  constructor(options: ClientOptions) {
    const { random, sendDeadlineMs } = options;
    this.#random = random;
    this.#connection = new Connection(options);
    this.#outbox = new Outbox(random, sendDeadlineMs);
    this.#pages = new Pages(random);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get user(): string | undefined {
    return this.#connection.user;
  }

  get session(): string | undefined {
    return this.#connection.session;
  }

  get closeCode(): number | undefined {
    return this.#connection.closeCode;
  }

  /** On the scale of `now`. */
  get retryAt(): Millis | undefined {
    return this.#connection.retryAt;
  }

  room(room: RoomId): Room | undefined {
    return this.#rooms.get(room);
  }

  /** When `tick` is due; undefined: nothing waits for a time. */
  get wakeAt(): Millis | undefined {
    // A text whose earliest time has passed was considered in the last step. It now waits for
    // something else, and a wake-up for it would repeat without end.
    const now = this.#steppedAt;
    return earliest([
      this.#connection.wakeAt(this.#outbox.unansweredSince),
      this.#outbox.wakeAt(now),
      this.#pages.wakeAt(now),
      ...[...this.#rooms.values()].map((room) => room.wakeAt(now)),
    ]);
  }

  step(input: Input, now: Millis): readonly Effect[] {
    this.#steppedAt = now;
    const before = this.#connection.onlineSocket;
    const effects = [...this.#take(input, now)];
    const after = this.#connection.onlineSocket;
    if (before !== undefined && before !== after) effects.push(...this.#onDisconnected());
    if (this.#connection.state === "closed") effects.push(...this.#onClosed());
    effects.push(...this.#write(now));
    return effects;
  }

  #take(input: Input, now: Millis): readonly Effect[] {
    const connection = this.#connection;
    switch (input.kind) {
      case "connect":
        return connection.connect(now);
      case "wake":
        return connection.wake(now, this.#newRef);
      case "suspend":
        return connection.suspend(now);
      case "close":
        return connection.close();
      case "token":
        return connection.onToken(input.ask, input.token, now, this.#newRef);
      case "token-failed":
        return connection.onTokenFailed(input.ask, now);
      case "opened":
        return connection.onOpened(input.socket);
      case "ended":
        return connection.isCurrent(input.socket) ? connection.onEnded(input.code, now) : [];
      case "text":
        return this.#onText(input, now);
      case "tick":
        return this.#tick(now);
      case "join":
        return this.#join(input);
      case "leave":
        return this.#leave(input.room);
      case "write":
        return this.#submit(input.frame, now);
      case "typing":
        return this.#type(input, now);
      case "read":
        this.#rooms.get(input.room)?.read(input.seq);
        return [];
      case "rooms":
        return this.#pages.addRooms(input.call, input.range, now);
      case "cancel":
        this.#pages.cancel(input.call);
        return [];
      case "history":
        return this.#pages.add(input.call, input.room, input.range, now);
      default:
        return input satisfies never;
    }
  }

  #tick(now: Millis): readonly Effect[] {
    const effects: Effect[] = [...settle(this.#outbox.tick(now)), ...this.#pages.tick(now)];
    for (const room of this.#rooms.values()) {
      effects.push(...room.tick(now));
      if (room.hasOverdueJoin(now)) return [...effects, ...this.#connection.abandon(now)];
    }
    effects.push(...this.#connection.tick(now, this.#outbox.unansweredSince, this.#newRef));
    return effects;
  }

  #join({ room, after, born, tail }: InputOf<"join">): readonly Effect[] {
    if (!this.#rooms.has(room)) {
      this.#rooms.set(room, new Room({ room, after, born, tail, random: this.#random }));
    }
    return [];
  }

  #leave(room: RoomId): readonly Effect[] {
    const joined = this.#rooms.get(room);
    if (joined === undefined) return [];
    const leaveFrames = joined.leave(this.#newRef);
    return [...this.#writeTexts(leaveFrames), ...this.#forget(room, LEFT)];
  }

  #forget(room: RoomId, cause: Cause): readonly Effect[] {
    this.#rooms.delete(room);
    return [
      ...settle(this.#outbox.onLeft(room, cause)),
      ...this.#pages.onLeft(room, cause),
      { kind: "status", room, status: "left" },
    ];
  }

  /** Without `ref` it answers no request: the user lost the right to read the room. */
  #onLeft({ room, ref, reason = "removed" }: LeftFrame): readonly Effect[] {
    const joined = this.#rooms.get(room);
    if (ref !== undefined || joined === undefined) return [];
    const removed = { reason, seq: joined.completeThrough };
    return [{ kind: "removed", room, removed }, ...this.#forget(room, REMOVED)];
  }

  /** Refuses at once a send that the server would refuse or close the connection for. */
  #submit(frame: WriteFrame, now: Millis): readonly Effect[] {
    const { room, id } = frame;
    const refuse = (error: ErrorName, message: string): readonly Effect[] => [
      { kind: "settled", id, result: { kind: "refused", error, message } },
    ];
    if (!isMessageId(id)) return refuse("bad_id", "The message id is not a UUIDv7.");
    const bodyText = "body" in frame ? encodeBody(frame.body) : "{}";
    if (bodyText === undefined) return refuse("bad_frame", "The body is not JSON.");
    if (utf8Length(bodyText) > BODY_BYTES_MAX) return refuse("too_large", "The body is too large.");
    if (this.#connection.state === "closed") return refuse(CLOSED.name, CLOSED.message);
    const joined = this.#rooms.get(room);
    const needsRoom = frame.t !== "create" && frame.t !== "enter";
    if (joined === undefined && needsRoom) return refuse(NOT_JOINED.name, NOT_JOINED.message);
    joined?.onSent();
    const text = JSON.stringify(frame);
    return settle(this.#outbox.add({ id, room, text, needsRoom }, now));
  }

  #type({ room, on }: InputOf<"typing">, now: Millis): readonly Effect[] {
    if (!this.#connection.isWritable) return [];
    return this.#writeTexts(this.#rooms.get(room)?.type(on, now) ?? []);
  }

  #onText({ socket, text }: InputOf<"text">, now: Millis): readonly Effect[] {
    const effects: Effect[] = [];
    for (const line of text.split("\n")) {
      if (!this.#connection.isCurrent(socket)) break; // An earlier line ended this connection.
      if (line === "") continue;
      this.#connection.onReceived(now);
      const decoded = decodeServerFrame(line);
      if (decoded.kind === "event") {
        const { event } = decoded;
        effects.push(...(this.#rooms.get(event.room)?.onEvent(event, now) ?? []));
      } else if (decoded.kind === "frame") {
        effects.push(...this.#onFrame(decoded.frame, now));
      } else if (decoded.kind === "broken") {
        effects.push({
          kind: "fault",
          fault: {
            name: "bad_frame",
            message: "The server sent a frame that this client cannot decode.",
          },
        });
      }
    }
    return effects;
  }

  #onFrame(frame: HandledFrame, now: Millis): readonly Effect[] {
    switch (frame.t) {
      case "welcome": {
        const allowed = frame.limits?.unansweredSends ?? WIRE_SENDS_MAX;
        this.#window = Math.max(1, Math.min(WIRE_SENDS_MAX, allowed - 4));
        return this.#connection.onWelcome(frame, now);
      }
      case "joined": {
        const room = this.#rooms.get(frame.room);
        return room?.hasAsked(frame.ref) === true ? room.onJoined(frame, now) : [];
      }
      case "left":
        return this.#onLeft(frame);
      case "caught-up":
        return this.#rooms.get(frame.room)?.onCaughtUp(frame.seq, now) ?? [];
      case "presence":
        return this.#rooms.get(frame.room)?.onPresence(frame) ?? [];
      case "typing":
        if (frame.user === this.#connection.user) return [];
        return this.#rooms.get(frame.room)?.onTyping(frame.user, frame.on, now) ?? [];
      case "ack":
        return settle(this.#outbox.onAck(frame.id, frame.seq, frame.at));
      case "page":
        return this.#pages.onPage(frame.ref, pageOf(frame));
      case "reads":
        return this.#rooms.get(frame.room)?.onReads(frame.reads) ?? [];
      case "note": {
        const { t: _t, ...note } = frame;
        return [{ kind: "hint", note }];
      }
      case "rooms": {
        const { rooms, next } = frame;
        const page = { rooms, ...(typeof next === "string" && { next }) };
        return this.#pages.onPage(frame.ref, page);
      }
      case "refreshed":
        this.#connection.onRefreshed(frame.ref, frame.until, now);
        return [];
      case "reconnect":
        this.#connection.onReconnect(frame.afterMs, now);
        return [];
      case "error":
        return this.#onError(frame, now);
      default:
        return frame satisfies never;
    }
  }

  /**
   * An error names a send by `id` and any other request by `ref`; without both, it answers
   * `typing` or `read`.
   */
  #onError(error: ErrorFrame, now: Millis): readonly Effect[] {
    const { id, ref } = error;
    if (ref !== undefined && this.#connection.refresh.hasSent(ref)) {
      this.#connection.refresh.onFailed(now);
      return [faultOf(error)];
    }
    // A close follows. It returns all unanswered requests to their queues.
    if (error.name === "token_expired") return [];
    if (id !== undefined) return settle(this.#outbox.onRefused(id, error, now));
    if (ref === undefined) return error.retry ? [] : [faultOf(error)];
    for (const room of this.#rooms.values()) {
      if (!room.hasAsked(ref)) continue;
      if (error.retry) {
        room.onPostponed(error.afterMs ?? 0, now);
        return [];
      }
      return [faultOf({ ...error, room: room.room }), ...this.#forget(room.room, error)];
    }
    return this.#pages.onRefused(ref, error, now) ?? [];
  }

  #onDisconnected(): readonly Effect[] {
    this.#pages.onDisconnected();
    return [
      ...settle(this.#outbox.onDisconnected()),
      ...[...this.#rooms.values()].flatMap((room) => room.onDisconnected()),
    ];
  }

  #onClosed(): readonly Effect[] {
    return [...settle(this.#outbox.onClosed()), ...this.#pages.onClosed()];
  }

  /** Writes all texts that are due: joins, then sends in order, then pages. */
  #write(now: Millis): readonly Effect[] {
    if (!this.#connection.isWritable) return [];
    // A room is created, and a closed one entered, before it is joined.
    const texts = [...this.#outbox.take(now, this.#window, () => false)];
    for (const room of this.#rooms.values()) texts.push(...room.take(now, this.#newRef));
    texts.push(...this.#outbox.take(now, this.#window, this.#isJoined));
    texts.push(...this.#pages.take(now, this.#newRef, this.#isJoined));
    return this.#writeTexts(texts);
  }

  #writeTexts(texts: readonly string[]): readonly Effect[] {
    const socket = this.#connection.onlineSocket;
    if (socket === undefined) return [];
    return texts.map((text) => ({ kind: "write", socket, text }));
  }

  readonly #newRef = (): number => ++this.#refs;

  readonly #isJoined = (room: RoomId): boolean => this.#rooms.get(room)?.isJoined === true;
}

function encodeBody(body: object): string | undefined {
  try {
    const text: unknown = JSON.stringify(body);
    return typeof text === "string" && text.startsWith("{") ? text : undefined;
  } catch {
    // Cycles and bigints: the caller gets `bad_frame`, as for every invalid body.
    return undefined;
  }
}

function settle(settled: readonly Settled[]): readonly Effect[] {
  return settled.map(({ id, result }) => ({ kind: "settled", id, result }));
}

function faultOf({ name, message, room }: ErrorFrame): Effect {
  return { kind: "fault", fault: { name, message, ...(room !== undefined && { room }) } };
}

function pageOf({ events, more, first, last, asOf }: PageFrame): Page {
  const isOfMessages = first !== undefined && last !== undefined && asOf !== undefined;
  return { events, more, ...(isOfMessages && { first, last, asOf }) };
}
