// RoomRights: which actions the page offers to a role. The owner of the room decides; this table
// only keeps the page from offering what it would refuse.
//
//   room-rights.1. It agrees with the table of the service (services/room/core/rights.ts): a test
//        compares them.

import { unreachable } from "#shared/kit/assert.ts";
import { isAtLeast } from "#shared/protocol/roles.ts";
import type { MemberRole, Role, RoomKind } from "#shared/protocol/roles.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { StoredMember } from "./chat-api.ts";
import type { Standing } from "./client-port.ts";

type Least = { readonly [K in RoomKind]: Role | undefined };

/** The lowest role that may do it; undefined: no role. The names are those of the service. */
export const OFFERED = {
  send: { open: "member", closed: "member", direct: "member" },
  react: { open: "member", closed: "member", direct: "member" },
  call: { open: "moderator", closed: "moderator", direct: "member" },
  delete: { open: "moderator", closed: "moderator", direct: undefined },
  pin: { open: "moderator", closed: "moderator", direct: "member" },
  describe: { open: "moderator", closed: "moderator", direct: undefined },
  configure: { open: "owner", closed: "owner", direct: undefined },
  come: { open: "member", closed: undefined, direct: undefined },
  go: { open: "reader", closed: "reader", direct: undefined },
  invite: { open: undefined, closed: "moderator", direct: undefined },
  appoint: { open: "moderator", closed: "moderator", direct: undefined },
  promote: { open: "owner", closed: "owner", direct: undefined },
  block: { open: undefined, closed: undefined, direct: "member" },
} as const satisfies Readonly<Record<string, Least>>;

export type OfferedAction = keyof typeof OFFERED;

export interface Place {
  readonly settings: RoomSettings | undefined;
  /** Of the user; undefined while it is not known. */
  readonly role: Role | undefined;
}

export function mayDo(action: OfferedAction, { settings, role }: Place): boolean {
  if (settings === undefined || role === undefined) return false;
  const least: Role | undefined = OFFERED[action][settings.kind];
  return least !== undefined && isAtLeast(role, least);
}

/** Actions of which most users have the right: offered until the server says otherwise. */
export function mayLikely(action: OfferedAction, place: Place): boolean {
  return place.settings === undefined || place.role === undefined || mayDo(action, place);
}

/** The end of a block, in ms since 1970: the last second of the year 9999. */
export const BLOCKED_UNTIL = 253_402_300_799_000;

export type SendBar = "archived" | "role" | "muted" | "blocked";

/** Why the user cannot send now; undefined: nothing is known that prevents it. */
export function sendBar(place: Place, mutedUntil: number, now: number): SendBar | undefined {
  const { settings, role } = place;
  if (settings?.archived === true) return "archived";
  if (mutedUntil > now) return settings?.kind === "direct" ? "blocked" : "muted";
  if (settings === undefined || role === undefined) return undefined;
  const least = settings.sendRole ?? "member";
  return mayDo("send", place) && isAtLeast(role, least) ? undefined : "role";
}

export type MemberAction =
  | { readonly kind: "role"; readonly role: MemberRole }
  | { readonly kind: "mute" | "unmute" | "block" | "unblock" | "remove" | "ban" | "unban" };

/** What the user may do with another member, in the order of a menu. */
export function memberActions(
  place: Place,
  { role, mutedUntil = 0, banned = false }: Omit<StoredMember, "user">,
  now: number,
): readonly MemberAction[] {
  if (mayDo("block", place) && role !== "none") {
    return [{ kind: mutedUntil > now ? "unblock" : "block" }];
  }
  const isHigh = isAtLeast(role, "moderator");
  if (!mayDo(isHigh ? "promote" : "appoint", place)) return [];
  if (banned) return [{ kind: "unban" }];
  const roles: readonly MemberRole[] = mayDo("promote", place)
    ? ["owner", "moderator", "member", "reader"]
    : ["member", "reader"];
  const muting = { kind: mutedUntil > now ? "unmute" : "mute" } as const;
  return [
    ...roles.filter((one) => one !== role).map((one) => ({ kind: "role", role: one }) as const),
    muting,
    ...(role === "none" ? [] : [{ kind: "remove" } as const]),
    { kind: "ban" },
  ];
}

/** What the room stores of the member after the action: it replaces everything. */
export function standingAfter(
  action: MemberAction,
  { role, mutedUntil = 0 }: Omit<StoredMember, "user">,
  { now, muteMs = 0, reason = "" }: { now: number; muteMs?: number; reason?: string },
): Standing {
  const why = reason.trim() === "" ? {} : { reason: reason.trim() };
  switch (action.kind) {
    case "role":
      return { role: action.role, ...(mutedUntil > now && { mutedUntil }) };
    case "mute":
      return { role, mutedUntil: now + muteMs };
    case "block":
      return { role, mutedUntil: BLOCKED_UNTIL };
    case "unblock":
    case "unmute":
      return { role };
    case "remove":
      return { role: "none", ...why };
    case "ban":
      return { role: "none", banned: true, ...why };
    case "unban":
      return { role: "none" };
  }
  return unreachable(action);
}
