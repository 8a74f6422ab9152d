// RoomRights: which actions the page offers to a role. The owner of the room decides; this table
// only keeps the page from offering what it would refuse. What a role may do with another member is
// in member-actions.ts, whose code is loaded on demand.
//
//   room-rights.1. It agrees with the table of the service (services/room/core/rights.ts): a test
//        compares them.

import { isAtLeast } from "#shared/protocol/roles.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { RoomStatus } from "./client-port.ts";

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

export type SendBar = "archived" | "role" | "muted" | "blocked";
/** `left`: the user is not in the room. */
export type RoomBar = SendBar | "left";

/** Why the user cannot send now; undefined: nothing is known that prevents it. */
export function sendBar(place: Place, mutedUntil: number, now: number): SendBar | undefined {
  const { settings, role } = place;
  if (settings?.archived === true) return "archived";
  if (mutedUntil > now) return settings?.kind === "direct" ? "blocked" : "muted";
  if (settings === undefined || role === undefined) return undefined;
  const least = settings.sendRole ?? "member";
  return mayDo("send", place) && isAtLeast(role, least) ? undefined : "role";
}

/** A room, as the page knows it. */
export interface BarredRoom {
  readonly status: RoomStatus;
  readonly info: Place & { readonly mutedUntil: number };
}

/** Why the user cannot write in the room now. */
export function barOf({ status, info }: BarredRoom, now: number): RoomBar | undefined {
  return status === "left" ? "left" : sendBar(info, info.mutedUntil, now);
}

/** How long the author may still edit a message that was sent at this time, in ms. */
export function editMs(settings: RoomSettings | undefined, at: number, now: number): number {
  return at + (settings?.editWindow ?? Infinity) * 1_000 - now;
}

/** What the room takes from the user now. */
export interface MessageRights {
  /** A message, and a new text of an own one. */
  readonly write: boolean;
  /** The setting of the room: for how long after a message its author edits it. */
  readonly editWindow: number | undefined;
  readonly react: boolean;
  readonly pin: boolean;
  /** The deletion of an own message: also of a muted user, and in an archived room. */
  readonly takeBack: boolean;
  /** The deletion of the message of another user. */
  readonly delete: boolean;
}

export function messageRights(place: Place, bar: RoomBar | undefined): MessageRights {
  const isIn = bar !== "left";
  return {
    write: bar === undefined,
    editWindow: place.settings?.editWindow,
    react: (bar === undefined || bar === "role") && mayLikely("react", place),
    pin: isIn && bar !== "archived" && mayDo("pin", place),
    takeBack: isIn,
    delete: isIn && mayDo("delete", place),
  };
}
