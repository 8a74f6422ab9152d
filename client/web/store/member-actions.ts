// MemberActions: what the page offers to do with another member of a room, and what the room then
// stores. Its code is loaded with the panel of people. Does not own: the rights (room-rights.ts).
//
//   member-actions.1. An action keeps the rest of what the room stores of a member: the stored
//        state is replaced as a whole.

import { unreachable } from "#shared/kit/assert.ts";
import { isAtLeast } from "#shared/protocol/roles.ts";
import type { MemberRole } from "#shared/protocol/roles.ts";
import type { StoredMember } from "./chat-api.ts";
import type { Standing } from "./client-port.ts";
import { mayDo } from "./room-rights.ts";
import type { Place } from "./room-rights.ts";

/** The end of a block, in ms since 1970: the last second of the year 9999. */
export const BLOCKED_UNTIL = 253_402_300_799_000;

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
