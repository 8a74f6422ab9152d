// MatchRooms: the rooms that match a few typed letters, best match first.

import { isRoomId } from "#shared/protocol/ids.ts";
import { readRoom } from "./identity.ts";

export interface RoomChoice {
  readonly room: string;
  readonly kind: "open" | "suggested" | "new";
}

/** As many as fit on a screen. */
const CHOICES_MAX = 12;

/** The matching open and suggested rooms, then the typed name if it is neither. */
export function matchRooms(
  typed: string,
  open: readonly string[],
  suggested: readonly string[],
): readonly RoomChoice[] {
  const name = readRoom(typed);
  const wanted = name.toLowerCase();
  const known: RoomChoice[] = [
    ...open.map((room) => ({ room, kind: "open" as const })),
    ...suggested.map((room) => ({ room, kind: "suggested" as const })),
  ];
  const ranked = known
    .map((choice) => ({ choice, rank: rank(choice.room, wanted) }))
    .filter((item) => item.rank < NO_MATCH)
    .sort((a, b) => a.rank - b.rank)
    .map((item) => item.choice)
    .slice(0, CHOICES_MAX);
  if (!isRoomId(name) || known.some((choice) => choice.room === name)) return ranked;
  return [...ranked, { room: name, kind: "new" }];
}

const NO_MATCH = 4;

/** 0: the name itself. 1: its beginning. 2: a part of it. 3: its letters in this order. */
function rank(room: string, wanted: string): number {
  const name = room.toLowerCase();
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
