// UserNotes: passes the notes of users who have a session here on to all of their sessions.
//
//   user-notes.1. A user with at least one session has one subscription.
//   user-notes.2. A session whose socket is behind does not get a note: it is a hint.
//   user-notes.3. A note that needs a grant reaches only the sessions whose token grants a role in
//        its room at that moment.

import { base64url } from "#shared/kit/base64url.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
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

interface Sink extends Pick<MemberSink, "buffered" | "writeText"> {
  /** What the token of the session gives in the room. */
  grantIn(room: RoomId): Grant | undefined;
}

interface Sessions {
  readonly sinks: Set<Sink>;
  readonly subscription: Subscription;
}

const decoder = new TextDecoder();

export class UserNotes {
  readonly #bus: Pick<Bus, "subscribe">;
  readonly #refusals: Refusals;
  readonly #stats: GatewayStats;
  readonly #total: Pick<SharedBound, "add">;
  readonly #users = new Map<UserId, Sessions>();

  constructor(parts: {
    readonly bus: Pick<Bus, "subscribe">;
    readonly refusals: Refusals;
    readonly stats: GatewayStats;
    readonly total: Pick<SharedBound, "add">;
  }) {
    this.#bus = parts.bus;
    this.#refusals = parts.refusals;
    this.#stats = parts.stats;
    this.#total = parts.total;
  }

  add(user: UserId, sink: Sink): void {
    let sessions = this.#users.get(user);
    if (sessions === undefined) {
      const sinks = new Set<Sink>();
      const subject = subjects.note(base64url(user));
      const subscription = this.#bus.subscribe(subject, ({ data }) => this.#onNote(sinks, data));
      this.#users.set(user, (sessions = { sinks, subscription }));
      this.#total.add(SUBSCRIPTION_BYTES);
    }
    sessions.sinks.add(sink);
  }

  remove(user: UserId, sink: Sink): void {
    const sessions = this.#users.get(user);
    if (sessions?.sinks.delete(sink) !== true || sessions.sinks.size > 0) return;
    sessions.subscription.unsubscribe();
    this.#users.delete(user);
    this.#total.add(-SUBSCRIPTION_BYTES);
  }

  stop(): void {
    for (const { subscription } of this.#users.values()) subscription.unsubscribe();
  }

  #onNote(sinks: ReadonlySet<Sink>, data: Uint8Array): void {
    const note = decodeNote(decoder.decode(data));
    if (note === undefined) {
      this.#stats.refused.add("note");
      this.#refusals.add("note", { size: data.length });
      return;
    }
    const { needsGrant = false, ...shown } = note;
    const text = encodeServerFrame({ t: "note", ...shown });
    for (const sink of sinks) {
      const mayGet = !needsGrant || sink.grantIn(note.room) !== undefined;
      if (mayGet && sink.buffered <= SOCKET_HIGH_BYTES) sink.writeText(text);
    }
  }
}
