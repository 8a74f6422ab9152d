// UserNotes: passes the notes of users who have a session here on to all of their sessions.
//
//   user-notes.1. A user with at least one session has one subscription.
//   user-notes.2. A session whose socket is behind does not get a note: it is a hint.
//   user-notes.3. A note that needs a grant reaches only the sessions whose token grants a role in
//        its room at that moment.
//   user-notes.4. The first subscription after a pause is made at once, and the others of PACE_MS
//        together, for at most WAITING_MAX users. A thousand connects in a second then wake NATS 50
//        times for their subscriptions, not a thousand times. A caller that is about to read what
//        notes would have said calls `subscribeNow` before.

import { base64url } from "#shared/kit/base64url.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import { decodeNote } from "#shared/protocol/note.ts";
import { encodeServerFrame } from "#shared/protocol/server-frames.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { SOCKET_HIGH_BYTES } from "../core/bounds.ts";
import type { SharedBound } from "../core/shared-bound.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { MemberSink } from "./member.ts";

/** The memory of a subscription, here and in the client of NATS (measured). */
export const SUBSCRIPTION_BYTES = 1_024;
/** user-notes.4. */
export const PACE_MS = 20;
/** Beyond it, the waiting subscriptions are made at once. */
export const WAITING_MAX = 256;

interface Sink extends Pick<MemberSink, "buffered" | "writeText"> {
  /** What the token of the session gives in the room. */
  grantIn(room: RoomId): Grant | undefined;
}

interface Sessions {
  /** A user has one or a few: an array needs a third of the memory of a set. */
  readonly sinks: Sink[];
  /** Undefined while it waits (user-notes.4). */
  subscription: Subscription | undefined;
}

const decoder = new TextDecoder();

export class UserNotes {
  readonly #bus: Pick<Bus, "subscribe">;
  readonly #clock: Clock;
  readonly #refusals: Refusals;
  readonly #stats: GatewayStats;
  readonly #total: Pick<SharedBound, "add">;
  readonly #bySubject = new Map<string, Sessions>();
  /** By subject: those whose subscription waits. */
  readonly #waiting = new Map<string, Sessions>();
  #timer: Timer | undefined;
  #subscribedAt: Millis = -Infinity;
  /** All subscriptions have the same handler, which costs no memory for each of them. */
  readonly #onMessage = ({ subject, data }: BusMessage): void => {
    const sessions = this.#bySubject.get(subject);
    if (sessions !== undefined) this.#onNote(sessions.sinks, data);
  };

  constructor(parts: {
    readonly bus: Pick<Bus, "subscribe">;
    readonly clock: Clock;
    readonly refusals: Refusals;
    readonly stats: GatewayStats;
    readonly total: Pick<SharedBound, "add">;
  }) {
    this.#bus = parts.bus;
    this.#clock = parts.clock;
    this.#refusals = parts.refusals;
    this.#stats = parts.stats;
    this.#total = parts.total;
  }

  add(user: UserId, sink: Sink): void {
    const subject = subjectOf(user);
    const sessions = this.#bySubject.get(subject);
    if (sessions !== undefined) {
      if (!sessions.sinks.includes(sink)) sessions.sinks.push(sink);
      return;
    }
    this.#total.add(SUBSCRIPTION_BYTES);
    const first: Sessions = { sinks: [sink], subscription: undefined };
    this.#bySubject.set(subject, first);
    this.#waiting.set(subject, first);
    const waitMs = this.#subscribedAt + PACE_MS - this.#clock.monotonic();
    if (waitMs <= 0 || this.#waiting.size >= WAITING_MAX) this.subscribeNow();
    else this.#timer ??= this.#clock.after(waitMs, () => this.subscribeNow());
  }

  /** Makes the subscriptions that wait. */
  subscribeNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    this.#subscribedAt = this.#clock.monotonic();
    for (const [subject, sessions] of this.#waiting) {
      sessions.subscription = this.#bus.subscribe(subject, this.#onMessage);
    }
    this.#waiting.clear();
  }

  remove(user: UserId, sink: Sink): void {
    const subject = subjectOf(user);
    const sessions = this.#bySubject.get(subject);
    const place = sessions?.sinks.indexOf(sink) ?? -1;
    if (sessions === undefined || place < 0) return;
    sessions.sinks.splice(place, 1);
    if (sessions.sinks.length > 0) return;
    sessions.subscription?.unsubscribe();
    this.#waiting.delete(subject);
    this.#bySubject.delete(subject);
    this.#total.add(-SUBSCRIPTION_BYTES);
  }

  stop(): void {
    this.#timer?.cancel();
    for (const { subscription } of this.#bySubject.values()) subscription?.unsubscribe();
  }

  #onNote(sinks: readonly Sink[], data: Uint8Array): void {
    const note = decodeNote(decoder.decode(data));
    if (note === undefined) {
      this.#stats.refused.add("note");
      this.#refusals.add("note", { size: data.length });
      return;
    }
    const { needsGrant = false, ...shown } = note;
    const text = encodeServerFrame({ t: "note", ...shown });
    const mayGet = (sink: Sink): boolean =>
      (!needsGrant || sink.grantIn(note.room) !== undefined) && sink.buffered <= SOCKET_HIGH_BYTES;
    // A write may end its session, which changes the list.
    for (const sink of sinks.filter(mayGet)) sink.writeText(text);
  }
}

function subjectOf(user: UserId): string {
  return subjects.note(base64url(user));
}
