// Roles: the kinds of rooms, the roles of their members, and the right to read.
//
// Owns: the names on the wire, the grant of a token, and the effective role of a user. Does not
// own: what each role may do (services/room/core/rights.ts), the stored members (room-state.ts).
//
//   roles.1. The effective role is the stored role, else the grant of the token, else `member` in
//        an open room, else `none`. In a direct room a grant gives nothing.
//   roles.2. A ban makes it `none`. A token with `admin` acts as owner, also when it is banned.
//   roles.3. A user may read a room while the effective role is not `none`. The owner of the
//        partition and the feeds of gateways apply this one function, so they cannot differ.

import type { RoomId } from "./ids.ts";

/** In ascending order: each role may do what the roles before it may do. */
export const ROLES = ["none", "reader", "member", "moderator", "owner"] as const;
export type Role = (typeof ROLES)[number];
/** A role that makes its user a member. */
export const MEMBER_ROLES = ["reader", "member", "moderator", "owner"] as const;
export type MemberRole = (typeof MEMBER_ROLES)[number];

export const ROOM_KINDS = ["open", "closed", "direct"] as const;
export type RoomKind = (typeof ROOM_KINDS)[number];

/** What a token gives its user in one room. */
export type Grant = "admin" | MemberRole;

/** What a room stores of a user, as far as the right to read depends on it. */
export interface Standing {
  readonly role: Role;
  readonly banned?: boolean | undefined;
}

export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

export function isMemberRole(value: unknown): value is MemberRole {
  return MEMBER_ROLES.includes(value as MemberRole);
}

export function isRoomKind(value: unknown): value is RoomKind {
  return ROOM_KINDS.includes(value as RoomKind);
}

export function isGrant(value: unknown): value is Grant {
  return value === "admin" || isMemberRole(value);
}

/** The grant of a token for `room`. A role that this version does not know grants nothing. */
export function grantFor(
  room: RoomId,
  token: { readonly admin: boolean; readonly rooms?: Readonly<Record<string, string>> },
): Grant | undefined {
  if (token.admin) return "admin";
  const { rooms } = token;
  if (rooms === undefined || !Object.hasOwn(rooms, room)) return undefined;
  const role = rooms[room];
  return isMemberRole(role) ? role : undefined;
}

/** roles.1 and roles.2. */
export function effectiveRole(
  kind: RoomKind,
  stored: Standing | undefined,
  grant: Grant | undefined,
): Role {
  if (grant === "admin") return "owner";
  if (stored?.banned === true) return "none";
  if (stored !== undefined && stored.role !== "none") return stored.role;
  if (kind === "direct") return "none";
  return grant ?? (kind === "open" ? "member" : "none");
}

/** roles.3. */
export function mayRead(
  kind: RoomKind,
  stored: Standing | undefined,
  grant: Grant | undefined,
): boolean {
  return effectiveRole(kind, stored, grant) !== "none";
}

export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
