// State events: the events of the writes that change who may do what in a room.
//
// Owns: the content of these events. Does not own: whether the sender may cause them
// (services/room/core/rights.ts), the sequence numbers.

import type { ClientFrameOf } from "./client-frames.ts";
import { settingsOf } from "./events.ts";
import type { MemberEvent, RoomSettings, SettingsEvent, StateEvent } from "./events.ts";
import { idAfter } from "./ids.ts";
import type { Millis, Seq, UserId } from "./ids.ts";
import type { MemberRole } from "./roles.ts";

export interface Place {
  readonly seq: Seq;
  readonly at: Millis;
}

/** A client's frame with its sender. */
type Sent<T extends "create" | "member" | "update"> = Omit<ClientFrameOf<T>, "t" | "trace"> & {
  readonly from: UserId;
};

interface Invited {
  readonly user: UserId;
  readonly role: MemberRole;
}

/** The settings, then each member, the creator first. The ids of the members follow the write's. */
export function eventsOfCreate(create: Sent<"create">, { seq, at }: Place): readonly StateEvent[] {
  const { room, id, from, kind, title, topic, avatar, sendRole, slowMode, editWindow } = create;
  const settings: SettingsEvent = {
    t: "room",
    room,
    seq,
    id,
    from,
    at,
    ...settingsOf({
      kind,
      title: textOf(title, undefined),
      topic: textOf(topic, undefined),
      avatar: textOf(avatar, undefined),
      sendRole,
      ...paceOf({ slowMode, editWindow }, seq, undefined),
    }),
  };
  const members = membersOfCreate(create).map(({ user, role }, i): MemberEvent => ({
    t: "member",
    room,
    seq: seq + 1 + i,
    id: idAfter(id, 1 + i),
    from,
    at,
    user,
    role,
  }));
  return [settings, ...members];
}

function membersOfCreate({ kind, from, user, members = [] }: Sent<"create">): readonly Invited[] {
  if (kind === "direct") {
    const both = user === undefined || user === from ? [from] : [from, user];
    return both.map((one) => ({ user: one, role: "member" }));
  }
  const invited = members.filter((member) => member.user !== from);
  return [
    { user: from, role: "owner" },
    ...invited.map(({ user: one, role = "member" }): Invited => ({ user: one, role })),
  ];
}

export function eventOfMember(
  { room, id, from, user, role, mutedUntil, banned, reason }: Sent<"member">,
  { seq, at }: Place,
): MemberEvent {
  const muted = mutedUntil === 0 ? undefined : mutedUntil;
  const isBanned = banned === true ? banned : undefined;
  return {
    t: "member",
    room,
    seq,
    id,
    from,
    at,
    user,
    role: isBanned === true ? "none" : role,
    mutedUntil: muted,
    banned: isBanned,
    reason,
  };
}

/** `before`: the settings in force. What the update does not name stays. */
export function eventOfUpdate(
  update: Sent<"update">,
  { seq, at }: Place,
  before: RoomSettings,
): SettingsEvent {
  const { room, id, from, sendRole = before.sendRole, archived = before.archived } = update;
  return {
    t: "room",
    room,
    seq,
    id,
    from,
    at,
    ...settingsOf({
      kind: before.kind,
      title: textOf(update.title, before.title),
      topic: textOf(update.topic, before.topic),
      avatar: textOf(update.avatar, before.avatar),
      sendRole,
      archived: archived === true ? archived : undefined,
      ...paceOf(update, seq, before),
    }),
  };
}

/** 0 removes the number. A slow mode with other seconds begins with the event that sets it. */
function paceOf(
  { slowMode, editWindow }: Pick<RoomSettings, "slowMode" | "editWindow">,
  seq: Seq,
  before: RoomSettings | undefined,
): Pick<RoomSettings, "slowMode" | "slowFrom" | "editWindow"> {
  const slow = (slowMode ?? before?.slowMode ?? 0) || undefined;
  const slowFrom = slow === before?.slowMode ? before?.slowFrom : slow && seq;
  return {
    slowMode: slow,
    slowFrom,
    editWindow: (editWindow ?? before?.editWindow ?? 0) || undefined,
  };
}

/** "" removes the text. */
function textOf(given: string | undefined, before: string | undefined): string | undefined {
  return given === "" ? undefined : (given ?? before);
}
