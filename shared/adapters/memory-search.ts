// MemorySearch: the search for messages over the rooms of a MemoryArchive. It behaves like
// postgres-search.ts without a language, and without an index: it is never behind.

import { excerptOf } from "../kit/search-excerpt.ts";
import { searchedMessage } from "../kit/searched-message.ts";
import type { Edited, SearchedMessage } from "../kit/searched-message.ts";
import { hasWanted, isWanted, matches, termsOf, wordsOf } from "../kit/search-words.ts";
import type { Term } from "../kit/search-words.ts";
import { isMember } from "../kit/state-changes.ts";
import type { RoomId, Seq } from "../protocol/ids.ts";
import { SEARCH_RANKED_MAX } from "../protocol/limits.ts";
import { readSearchCursor, searchCursor } from "../protocol/search.ts";
import type { FoundMessage, FoundMessages, SearchQuery } from "../protocol/search.ts";
import type { ListableRoom } from "./memory-room-list.ts";

interface Match extends SearchedMessage {
  readonly room: RoomId;
  readonly seq: Seq;
  /** How often the wanted words stand in it, for the order `best`. */
  readonly count: number;
}

type EditedOf = (room: RoomId, seq: Seq) => Edited;

export function searchRooms<R extends ListableRoom>(
  rooms: ReadonlyMap<RoomId, R>,
  query: SearchQuery,
  editedOf: EditedOf,
): FoundMessages {
  const terms = termsOf(query.text);
  const isAsked = hasWanted(terms) || query.from !== undefined || query.has !== undefined;
  if (!isAsked) return { messages: [] };
  const found = [...rooms]
    .filter(([id, room]) => {
      if (query.room !== undefined) return id === query.room;
      const member = room.members.get(query.user);
      return member !== undefined && isMember(member);
    })
    .flatMap(([id, room]) => matchesIn(id, room, query, terms, editedOf))
    .sort(byNewest);
  const place = query.cursor === undefined ? undefined : readSearchCursor(query.cursor);
  return (place?.order ?? query.order) === "best"
    ? bestOf(found, place?.order === "best" ? place : undefined, query, terms)
    : newestOf(found, place?.order === "newest" ? place : undefined, query, terms);
}

function matchesIn(
  id: RoomId,
  room: ListableRoom,
  { upTo = Infinity, from, before = Infinity, after = -1, has }: SearchQuery,
  terms: readonly Term[],
  editedOf: EditedOf,
): Match[] {
  return [...room.events.values()].flatMap(({ seq, line }): Match[] => {
    const message = searchedMessage(line, editedOf(id, seq));
    if (message === undefined || seq > upTo) return [];
    if (message.at >= before || message.at <= after) return [];
    if (from !== undefined && message.from !== from) return [];
    if (has !== undefined && !message.has.includes(has)) return [];
    const words = wordsOf(message.text);
    if (!matches(terms, words)) return [];
    const count = words.filter(({ word }) => isWanted(terms, word)).length;
    return [{ ...message, room: id, seq, count }];
  });
}

function newestOf(
  found: readonly Match[],
  place: Pick<Match, "at" | "seq" | "room"> | undefined,
  { limit }: SearchQuery,
  terms: readonly Term[],
): FoundMessages {
  const behind = found.filter((match) => place === undefined || byNewest(place, match) < 0);
  const page = behind.slice(0, limit);
  const last = page.at(-1);
  const isCut = last !== undefined && behind.length > limit;
  const next = isCut && { next: searchCursor({ order: "newest", ...last }) };
  return { messages: page.map((match) => shown(match, terms)), ...next };
}

function bestOf(
  found: readonly Match[],
  place: { readonly asOf: number; readonly skip: number } | undefined,
  { limit }: SearchQuery,
  terms: readonly Term[],
): FoundMessages {
  const asOf = place?.asOf ?? found[0]?.at ?? 0;
  const skip = place?.skip ?? 0;
  const ranked = found
    .filter(({ at }) => at <= asOf)
    .slice(0, SEARCH_RANKED_MAX)
    .sort((one, other) => other.count - one.count || byNewest(one, other));
  const page = ranked.slice(skip, skip + limit);
  const isCut = ranked.length > skip + limit;
  const next = isCut && { next: searchCursor({ order: "best", asOf, skip: skip + limit }) };
  return { messages: page.map((match) => shown(match, terms)), ...next };
}

type Place = Pick<Match, "at" | "seq" | "room">;

function byNewest(one: Place, other: Place): number {
  if (one.at !== other.at) return other.at - one.at;
  if (one.room !== other.room) return one.room < other.room ? 1 : -1;
  return other.seq - one.seq;
}

function shown(match: Match, terms: readonly Term[]): FoundMessage {
  const { room, seq, from, at, thread, text } = match;
  const excerpt = excerptOf(text, wordsOf(text), (word) => isWanted(terms, word));
  return { room, seq, from, at, ...(thread !== undefined && { thread }), ...excerpt };
}
