// Rights: who may do what in a room.
//
// Owns: the table of actions, and the judgement of a command by the state of its room. Does not
// own: the state (room-state.ts), the effective role (shared/protocol/roles.ts), the message that a
// command names (changes.ts), the order of decisions (room.ts).
//
//   rights.1. A command is judged by the state at the moment of its decision, with the owner's
//       clock.
//   rights.2. A closed room that a user may not see, and a direct room that does not exist, give
//       the same answer: `forbidden`.
//   rights.3. The last owner of a closed room keeps the role: `conflict`.
//   rights.4. Every token that opens nothing gets the same answer as a room that the guest may not
//       see: `forbidden`.

import { unreachable } from "#shared/kit/assert.ts";
import type { MemberCommand, UpdateCommand, Write } from "#shared/protocol/commands.ts";
import type { CreateCommand, EnterCommand, SendCommand } from "#shared/protocol/commands.ts";
import { directRoomId, isDirectRoomId } from "#shared/protocol/direct-room.ts";
import type { Millis, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Entry } from "#shared/protocol/invite-events.ts";
import { INVITES_MAX, ROOM_MEMBERS_MAX } from "#shared/protocol/limits.ts";
import { effectiveRole, isAtLeast, isGrant } from "#shared/protocol/roles.ts";
import type { Grant, Role, RoomKind } from "#shared/protocol/roles.ts";
import { isStored } from "./room-state.ts";
import type { Member, RoomState } from "./room-state.ts";

export type Action =
  | "read"
  | "send"
  /** Send again before the slow mode of the room permits it. */
  | "hurry"
  /** Mention everyone in the room. */
  | "call"
  /** Edit an own message. */
  | "edit"
  /** Delete an own message. */
  | "take-back"
  /** Delete the message of another user. */
  | "delete"
  | "react"
  | "pin"
  /** Change title, topic or avatar. */
  | "describe"
  /** Change any other setting. */
  | "configure"
  /** Become a member. */
  | "come"
  /** End one's own membership. */
  | "go"
  /** Make or revoke an invite. */
  | "invite"
  /** Become a member with an invite. */
  | "enter"
  /** Change a user who is not and does not become moderator or owner; also mute and ban. */
  | "appoint"
  /** Change a user who is or becomes moderator or owner. */
  | "promote"
  /** Mute the other user of a direct room, or end that mute. */
  | "block";

/** The lowest effective role that may do it. `never`: not even an owner. */
export const RIGHTS: {
  readonly [A in Action]: { readonly [K in RoomKind]: Role | "never" };
} = {
  read: { open: "reader", closed: "reader", direct: "reader" },
  send: { open: "member", closed: "member", direct: "member" },
  hurry: { open: "moderator", closed: "moderator", direct: "member" },
  call: { open: "moderator", closed: "moderator", direct: "member" },
  edit: { open: "member", closed: "member", direct: "member" },
  "take-back": { open: "reader", closed: "reader", direct: "reader" },
  delete: { open: "moderator", closed: "moderator", direct: "never" },
  react: { open: "member", closed: "member", direct: "member" },
  pin: { open: "moderator", closed: "moderator", direct: "member" },
  describe: { open: "moderator", closed: "moderator", direct: "never" },
  configure: { open: "owner", closed: "owner", direct: "never" },
  come: { open: "member", closed: "never", direct: "never" },
  go: { open: "reader", closed: "reader", direct: "never" },
  invite: { open: "never", closed: "moderator", direct: "never" },
  enter: { open: "never", closed: "none", direct: "never" },
  appoint: { open: "moderator", closed: "moderator", direct: "never" },
  promote: { open: "owner", closed: "owner", direct: "never" },
  block: { open: "never", closed: "never", direct: "member" },
};

export type RightsRefusal = "forbidden" | "conflict" | "not_found";

/** What a judgement needs of a room. */
export interface JudgedRoom {
  readonly id: RoomId;
  readonly state: RoomState;
  /** It has no event, decided or stored. */
  readonly isNew: boolean;
}

export interface Actor {
  readonly user: UserId;
  /** A name that this version does not know grants nothing. */
  readonly grant?: Grant | undefined;
}

export function mayDo(action: Action, kind: RoomKind, role: Role): boolean {
  const least = RIGHTS[action][kind];
  return least !== "never" && isAtLeast(role, least);
}

/** The id of a direct room is reserved for it. */
export function kindOf({ id, state, isNew }: JudgedRoom): RoomKind {
  return isNew && isDirectRoomId(id) ? "direct" : state.kind;
}

export function roleIn(room: JudgedRoom, { user, grant }: Actor): Role {
  return effectiveRole(kindOf(room), room.state.member(user), grantOf(grant));
}

function grantOf(grant: Grant | undefined): Grant | undefined {
  return isGrant(grant) ? grant : undefined;
}

/** Whether the user may read the room. */
export function mayReadRoom(room: JudgedRoom, actor: Actor): boolean {
  return mayDo("read", kindOf(room), roleIn(room, actor));
}

/** Whether the user may make invites to the room. */
export function mayInvite(room: JudgedRoom, actor: Actor): boolean {
  return mayDo("invite", kindOf(room), roleIn(room, actor));
}

/** The rest of the sender's wait in a room with slow mode, in milliseconds. */
export function waitMs(room: JudgedRoom, { from, grant }: SendCommand, now: Millis): Millis {
  const { state } = room;
  const wait = state.slow.waitMs(state.settings, from, now);
  if (wait === 0) return 0;
  return mayDo("hurry", kindOf(room), roleIn(room, { user: from, grant })) ? 0 : wait;
}

/** The refusal of a write, or undefined when its sender may do it now. */
export function judge(room: JudgedRoom, write: Write, now: Millis): RightsRefusal | undefined {
  if (write.op === "create") return judgeCreate(room, write);
  const kind = kindOf(room);
  const stored = room.state.member(write.from);
  const role = effectiveRole(kind, stored, grantOf(write.grant));
  switch (write.op) {
    case "send":
      if (write.mentions === "@room" && !mayDo("call", kind, role)) return NO;
      if (!mayDo("send", kind, role) || !maySend(room.state, stored, role, now)) return NO;
      // Its files may have been swept (AT6).
      return write.until !== undefined && write.until < now ? "not_found" : undefined;
    case "edit": // It shows a text, as a send does.
      if (write.mentions === "@room" && !mayDo("call", kind, role)) return NO;
      return mayDo("edit", kind, role) && maySend(room.state, stored, role, now) ? undefined : NO;
    case "delete": // Whose message it is decides the rest (changes.ts). Erasing is never muted.
      return mayDo("take-back", kind, role) ? undefined : NO;
    case "react":
      if (room.state.settings.archived === true) return NO;
      return mayDo("react", kind, role) && !isMuted(stored, now) ? undefined : NO;
    case "pin":
      return mayDo("pin", kind, role) && room.state.settings.archived !== true ? undefined : NO;
    case "update":
      return mayDo(actionOfUpdate(write), kind, role) ? undefined : NO;
    case "invite":
      if (!mayDo("invite", kind, role)) return NO;
      return room.state.invites.inForce(now) >= INVITES_MAX ? "conflict" : undefined;
    case "revoke": // One that is unknown or has ended stays so: a repeated revocation changes nothing.
      return mayDo("invite", kind, role) ? undefined : NO;
    case "enter": {
      const entry = mayDo("enter", kind, role) ? judgeEntry(room.state, write, now) : NO;
      return typeof entry === "string" ? entry : undefined;
    }
    case "member":
      if (!mayDo(actionOfMember(room.state, kind, write, now), kind, role)) return NO;
      return judgeBounds(room.state, kind, write);
    default:
      return unreachable(write);
  }
}

const NO = "forbidden";

/**
 * What the invite of a guest gives. A user who is stored as a member already uses no invite up, and
 * a ban and a mute stay.
 */
export function judgeEntry(
  state: RoomState,
  { from, invite, hash }: EnterCommand,
  now: Millis,
): Entry | RightsRefusal {
  const before = state.member(from);
  const found = before?.banned === true ? undefined : state.invites.open(invite, hash, now);
  if (found === undefined) return NO;
  const { role, used } = found;
  if (before !== undefined && isAtLeast(before.role, role)) return "conflict";
  if (before === undefined && state.size >= ROOM_MEMBERS_MAX) return "conflict";
  return { role, use: used + 1, mutedUntil: before?.mutedUntil };
}

function judgeCreate(room: JudgedRoom, create: CreateCommand): RightsRefusal | undefined {
  const { kind, from, user } = create;
  if (kind === "direct") {
    const isPair = user !== undefined && user !== from;
    if (!isPair || room.id !== directRoomId(from, user)) return NO;
  } else if (isDirectRoomId(room.id)) return NO;
  return room.isNew ? undefined : "conflict";
}

function maySend(
  { settings }: RoomState,
  stored: Member | undefined,
  role: Role,
  now: Millis,
): boolean {
  const { sendRole, archived } = settings;
  if (archived === true || (sendRole !== undefined && !isAtLeast(role, sendRole))) return false;
  return !isMuted(stored, now);
}

function actionOfUpdate(update: UpdateCommand): Action {
  const { sendRole, archived, slowMode, editWindow } = update;
  const others = [sendRole, archived, slowMode, editWindow];
  return others.every((setting) => setting === undefined) ? "describe" : "configure";
}

function actionOfMember(
  state: RoomState,
  kind: RoomKind,
  write: MemberCommand,
  now: Millis,
): Action {
  const { from, user, role, mutedUntil, banned } = write;
  const before = state.member(user);
  const isOther = before !== undefined && user !== from;
  if (kind === "direct" && isOther && role === before.role && banned !== true) return "block";
  const isPlain = mutedUntil === undefined && banned !== true;
  // A member event replaces everything: a user must not end an own mute.
  if (user === from && isPlain && !isMuted(before, now)) {
    if (role === "none") return "go";
    if (role === "member" && before === undefined) return "come";
  }
  const isHigh = isAtLeast(role, "moderator") || isAtLeast(before?.role ?? "none", "moderator");
  return isHigh ? "promote" : "appoint";
}

function judgeBounds(
  state: RoomState,
  kind: RoomKind,
  { user, role, mutedUntil, banned }: MemberCommand,
): RightsRefusal | undefined {
  const before = state.member(user);
  const isBanned = banned === true;
  const losesOwner = before?.role === "owner" && (role !== "owner" || isBanned);
  if (kind === "closed" && losesOwner && state.owners === 1) return "conflict"; // rights.3
  const muted = mutedUntil === 0 ? undefined : mutedUntil;
  const after: Member = { role, mutedUntil: muted, ...(isBanned && { banned: true }) };
  const isNew = before === undefined && isStored(after);
  return isNew && state.size >= ROOM_MEMBERS_MAX ? "conflict" : undefined;
}

function isMuted(member: Member | undefined, now: Millis): boolean {
  return (member?.mutedUntil ?? 0) > now;
}
