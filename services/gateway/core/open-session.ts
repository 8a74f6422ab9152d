// OpenSession: the state of a session between its welcome and its close, and what the answers to
// its requests change of it.
//
// Owns: the joined rooms, the order of sends, the numbers of unanswered requests. Does not own: the
// admission of a frame (session.ts).

import { unreachable } from "#shared/kit/assert.ts";
import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { ClientFrame, ClientFrameOf } from "#shared/protocol/client-frames.ts";
import { isWriteFrame } from "#shared/protocol/commands.ts";
import { errorFrame, ERRORS, retryAfterMs } from "#shared/protocol/errors.ts";
import type { ErrorDetail, ErrorName } from "#shared/protocol/errors.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import type { Identity } from "#shared/ports/identity.ts";
import { SendOrder } from "./send-order.ts";
import type { Now, SessionEffect, SessionInput } from "./session-io.ts";

export class OpenSession {
  readonly kind = "open";
  identity: Identity;
  /** room → the attempt number of its join */
  readonly rooms = new LazyMap<RoomId, number>();
  unansweredSends = 0;
  unansweredPages = 0;
  #order: SendOrder | undefined;

  constructor(identity: Identity) {
    this.identity = identity;
  }

  /** Most sessions only read, so it is made at the first send. */
  get order(): SendOrder {
    return (this.#order ??= new SendOrder());
  }

  /** The session is no longer in the room. False: it was not. */
  leave(room: RoomId): boolean {
    this.#order?.forget(room);
    return this.rooms.delete(room);
  }
}

export function onLeave(
  state: OpenSession,
  { room, ref }: ClientFrameOf<"leave">,
): SessionEffect[] {
  if (!state.leave(room)) return [refuse("not_joined", { ref, room })];
  return [
    { kind: "leave", user: state.identity.user, room },
    { kind: "frame", frame: { t: "left", ref, room } },
  ];
}

/** session.6. */
export function onRemoved(
  state: OpenSession,
  { room, attempt, removal }: Extract<SessionInput, { kind: "removed" }>,
): SessionEffect[] {
  if (state.rooms.get(room) !== attempt) return [];
  state.leave(room);
  const { reason, seq } = removal;
  return [{ kind: "frame", frame: { t: "left", room, reason, seq } }];
}

export function onWriteAnswered(
  state: OpenSession,
  { id, room, answer }: Extract<SessionInput, { kind: "write-answered" }>,
  now: Now,
): SessionEffect[] {
  state.unansweredSends--;
  const mayPass = answer.kind === "refused" && ERRORS[answer.error].retry;
  if (mayPass && state.rooms.has(room)) {
    const { error, afterMs = retryAfterMs(error) ?? 0 } = answer;
    state.order.returned(room, id, now.monotonic, afterMs); // session.4
  } else state.order.answered(room, id, now.monotonic);
  if (answer.kind === "sent") {
    const { seq, at } = answer;
    return [{ kind: "frame", frame: { t: "ack", id, room, seq, at } }];
  }
  return [refuse(answer.error, { id, room, afterMs: answer.afterMs })];
}

export function onJoinRefused(
  state: OpenSession,
  input: Extract<SessionInput, { kind: "join-refused" }>,
): SessionEffect[] {
  const { room, ref, attempt, error, afterMs } = input;
  if (state.rooms.get(room) === attempt) state.leave(room);
  return [refuse(error, { ref, room, afterMs })];
}

export function onPage(
  state: OpenSession,
  { ref, room, outcome }: Extract<SessionInput, { kind: "page" }>,
): SessionEffect[] {
  state.unansweredPages--;
  if (outcome.kind === "page") return [{ kind: "text", text: outcome.text }];
  return [refuse(outcome.error, { ref, room })];
}

export function onRooms(
  state: OpenSession,
  { ref, outcome }: Extract<SessionInput, { kind: "rooms" }>,
): SessionEffect[] {
  state.unansweredPages--;
  if (outcome.kind === "refused") return [refuse(outcome.error, { ref })];
  return [{ kind: "frame", frame: { t: "rooms", ref, ...outcome.page } }];
}

/** The fields that identify a request in its error. */
export function named(
  frame: Exclude<ClientFrame, { t: "ping" | "refresh" | "leave" }>,
): ErrorDetail {
  if (isWriteFrame(frame)) return { id: frame.id, room: frame.room };
  switch (frame.t) {
    case "hello":
      return {};
    case "typing":
    case "read":
      return { room: frame.room };
    case "rooms":
      return { ref: frame.ref };
    case "join":
    case "history":
      return { ref: frame.ref, room: frame.room };
    default:
      return unreachable(frame);
  }
}

export function refuse(error: ErrorName, detail: ErrorDetail): SessionEffect {
  return { kind: "frame", frame: errorFrame(error, detail) };
}
