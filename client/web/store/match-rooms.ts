// MatchRooms: what a few typed letters can open: rooms of the user, open rooms of the server, a
// user in a direct room, a room by its name. Best match first.

import { isRoomId, isUserId } from "#shared/protocol/ids.ts";
import type { RoomKind } from "#shared/protocol/roles.ts";
import { readName, readRoom } from "./identity.ts";

export interface RoomChoice {
  /** The room, or the other user. */
  readonly room: string;
  readonly title: string;
  readonly kind: "listed" | "found" | "new" | "user";
  readonly roomKind: RoomKind;
}

export interface KnownRoom {
  readonly name: string;
  readonly title: string;
  readonly kind: RoomKind;
}

/** As many as fit on a screen. */
const CHOICES_MAX = 12;

/** The matching rooms, then the typed name as a room if there is none, and as a user. */
export function matchRooms(
  typed: string,
  listed: readonly KnownRoom[],
  found: readonly KnownRoom[],
): readonly RoomChoice[] {
  const isUserOnly = typed.trim().startsWith("@");
  const name = readRoom(typed);
  const text = typed
    .trim()
    .replace(/^[#@]+/u, "")
    .trim();
  const wanted = [text, name].map((one) => one.toLowerCase());
  const isListed = new Set(listed.map((room) => room.name));
  const known: RoomChoice[] = [
    ...listed.map((room) => choiceOf(room, "listed")),
    ...found.filter((room) => !isListed.has(room.name)).map((room) => choiceOf(room, "found")),
  ];
  const ranked = known
    .map((choice) => ({ choice, rank: rank(choice, wanted) }))
    .filter(({ choice, rank }) => {
      return rank < NO_MATCH && (!isUserOnly || choice.roomKind === "direct");
    })
    .sort((a, b) => a.rank - b.rank)
    .map((item) => item.choice)
    .slice(0, CHOICES_MAX);
  const isKnown = known.some((choice) => choice.room === name);
  return [
    ...ranked,
    ...(isRoomId(name) && !isKnown && !isUserOnly
      ? [{ room: name, title: name, kind: "new", roomKind: "open" } as const]
      : []),
    ...userChoice(typed, listed),
  ];
}

function choiceOf({ name, title, kind }: KnownRoom, of: "listed" | "found"): RoomChoice {
  return { room: name, title, kind: of, roomKind: kind };
}

function userChoice(typed: string, listed: readonly KnownRoom[]): readonly RoomChoice[] {
  const read = readName(typed.trim().replace(/^@+/u, ""));
  if (typed.trim().startsWith("#") || !read.ok || !isUserId(read.name)) return [];
  const { name } = read;
  if (listed.some(({ kind, title }) => kind === "direct" && title === name)) return [];
  return [{ room: name, title: name, kind: "user", roomKind: "direct" }];
}

const NO_MATCH = 4;

/** 0: the name itself. 1: its beginning. 2: a part of it. 3: its letters in this order. */
function rank({ room, title, roomKind }: RoomChoice, wanted: readonly string[]): number {
  // The name of a direct room is a hash.
  const names = roomKind === "direct" ? [title] : [title, room];
  const ranks = names.flatMap((name) => wanted.map((one) => rankOf(name.toLowerCase(), one)));
  return Math.min(...ranks);
}

function rankOf(name: string, wanted: string): number {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.includes(wanted)) return 2;
  let at = 0;
  for (const letter of wanted) {
    at = name.indexOf(letter, at) + 1;
    if (at === 0) return NO_MATCH;
  }
  return 3;
}
