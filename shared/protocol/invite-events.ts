// Invite events: the events of the writes that make, end and use an invite.
//
// Owns: the content of these events. Does not own: who may write them
// (services/room/core/rights.ts), the form of tokens (invites.ts).
//
//   invite-events.1. The count of a use is in its `member` event: `use` is 1, 2, 3, … of its
//        invite. So a fold that sees an event twice counts it once.

import type { ClientFrameOf } from "./client-frames.ts";
import type { InviteEvent, MemberEvent } from "./events.ts";
import type { Millis, UserId } from "./ids.ts";
import { INVITE_TTL_S } from "./limits.ts";
import type { Role } from "./roles.ts";
import type { Place } from "./state-events.ts";

type Sent<T extends "invite" | "revoke" | "enter"> = Omit<
  ClientFrameOf<T>,
  "t" | "trace" | "secret"
> & {
  readonly from: UserId;
};

export function eventOfInvite(
  {
    room,
    id,
    from,
    hash,
    role = "member",
    ttl = INVITE_TTL_S,
    uses = 1,
  }: Sent<"invite"> & { readonly hash: string },
  { seq, at }: Place,
): InviteEvent {
  const until = at + ttl * 1_000;
  return { t: "invite", room, seq, id, from, at, invite: id, hash, role, until, uses };
}

export function eventOfRevoke(
  { room, id, from, invite }: Sent<"revoke">,
  { seq, at }: Place,
): InviteEvent {
  return { t: "invite", room, seq, id, from, at, invite, revoked: true };
}

/** What the owner knows of a guest and of the invite, at the decision. */
export interface Entry {
  readonly role: Role;
  readonly use: number;
  /** The mute that the room has of the guest stays. */
  readonly mutedUntil?: Millis | undefined;
}

export function eventOfEntry(
  { room, id, from, invite }: Sent<"enter">,
  { seq, at }: Place,
  { role, use, mutedUntil }: Entry,
): MemberEvent {
  const reason = `invite ${invite}`;
  const head = { t: "member", room, seq, id, from, at, user: from } as const;
  return { ...head, role, mutedUntil, reason, invite, use };
}
