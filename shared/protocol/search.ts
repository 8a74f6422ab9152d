// Search: both halves of what gateways and persistence exchange about the search for messages. It
// is a request on `hist.<p>` (history.ts).
//
//   protocol/search.1. A decoded request and a decoded reply have the declared types and keep the
//        bounds of limits.ts. A malformed part refuses the whole.
//   protocol/search.2. The cursor of the newest messages is the place of the last one: time, number
//        and room. The cursor of the best ones is the time up to which messages were ranked, and
//        how many of them the pages before had. A cursor names its order, which counts.

import { isCount, isObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isRoomId, isTextWithin, isUserId } from "./ids.ts";
import type { Millis, RoomId, Seq, UserId } from "./ids.ts";
import { SEARCH_PAGE_MAX, SEARCH_TEXT_LENGTH_MAX } from "./limits.ts";

export const SEARCH_ORDERS = ["newest", "best"] as const;
export type SearchOrder = (typeof SEARCH_ORDERS)[number];
/** What a message can be asked to have. */
export const SEARCH_HAS = ["link", "mention"] as const;
export type SearchHas = (typeof SEARCH_HAS)[number];

export interface SearchQuery {
  /** The user who may read what is found. */
  readonly user: UserId;
  /** search-words.3. */
  readonly text: string;
  /** Only in this room, in which the owner let the user read up to `upTo`. */
  readonly room?: RoomId | undefined;
  readonly upTo?: Seq | undefined;
  /** Only messages of this user. */
  readonly from?: UserId | undefined;
  /** Only messages that were stored before, or after, this time. */
  readonly before?: Millis | undefined;
  readonly after?: Millis | undefined;
  readonly has?: SearchHas | undefined;
  readonly order: SearchOrder;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export interface FoundMessage {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly from: UserId;
  readonly at: Millis;
  /** The root of the thread that the message is in. */
  readonly thread?: Seq;
  /** A part of its newest text, and the found words in it (search-excerpt.ts). */
  readonly text: string;
  readonly highlights: readonly (readonly [number, number])[];
  readonly cut?: true;
}

/** It can be empty and have `next`. */
export interface FoundMessages {
  readonly messages: readonly FoundMessage[];
  readonly next?: string;
}

export type SearchRequest = { readonly op: "search" } & SearchQuery;
export interface SearchReply {
  readonly ok: true;
  readonly op: "search";
  readonly found: FoundMessages;
}

export type SearchPlace =
  | { readonly order: "newest"; readonly at: Millis; readonly seq: Seq; readonly room: RoomId }
  | { readonly order: "best"; readonly asOf: Millis; readonly skip: number };

/** The API description publishes it. 15 digits: each such number is exact (2^53 has 16). */
export const SEARCH_CURSOR_PATTERN =
  "^(?:[0-9]{1,15}\\.[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}|best\\.[0-9]{1,15}\\.[0-9]{1,4})$";
const CURSOR = new RegExp(SEARCH_CURSOR_PATTERN, "u");

/** protocol/search.2. */
export function searchCursor(place: SearchPlace): string {
  if (place.order === "best") return `best.${place.asOf}.${place.skip}`;
  return `${place.at}.${place.seq}.${place.room}`;
}

/** Undefined for a text that is no cursor. */
export function readSearchCursor(text: string): SearchPlace | undefined {
  if (!CURSOR.test(text)) return undefined;
  const [first = "", second = "", third = ""] = text.split(".");
  if (first === "best") return { order: "best", asOf: Number(second), skip: Number(third) };
  const room = third as RoomId;
  return { order: "newest", at: Number(first), seq: Number(second), room };
}

/** Undefined for a request that is not whole. */
export function readSearchRequest(request: JsonObject): SearchRequest | undefined {
  const { user, text, room, upTo, from, before, after, has, order, cursor, limit } = request;
  if (!isUserId(user) || typeof text !== "string") return undefined;
  if (!isTextWithin(text, SEARCH_TEXT_LENGTH_MAX)) return undefined;
  if (!isCount(limit) || limit < 1 || limit > SEARCH_PAGE_MAX) return undefined;
  if (!isOneOf(SEARCH_ORDERS, order)) return undefined;
  if (has !== undefined && !isOneOf(SEARCH_HAS, has)) return undefined;
  if (room !== undefined && !isRoomId(room)) return undefined;
  if (from !== undefined && !isUserId(from)) return undefined;
  if (!isCountOrNot(upTo) || !isCountOrNot(before) || !isCountOrNot(after)) return undefined;
  if ((room === undefined) !== (upTo === undefined)) return undefined;
  const isPlace = typeof cursor === "string" && readSearchCursor(cursor) !== undefined;
  if (cursor !== undefined && !isPlace) return undefined;
  return { op: "search", user, text, room, upTo, from, before, after, has, order, cursor, limit };
}

/** `rest`: a reply without `ok` and `op`. */
export function readSearchReply({ found }: JsonObject): SearchReply | undefined {
  if (!isObject(found) || !Array.isArray(found["messages"])) return undefined;
  const { messages, next } = found;
  if (messages.length > SEARCH_PAGE_MAX || !messages.every(isFoundMessage)) return undefined;
  if (next !== undefined && !(typeof next === "string" && CURSOR.test(next))) return undefined;
  return { ok: true, op: "search", found: found as unknown as FoundMessages };
}

function isFoundMessage(message: unknown): boolean {
  if (!isObject(message)) return false;
  const { room, seq, from, at, thread, text, highlights, cut } = message;
  if (!isRoomId(room) || !isCount(seq) || !isUserId(from) || !isCount(at)) return false;
  if (!isCountOrNot(thread) || typeof text !== "string") return false;
  if (cut !== undefined && cut !== true) return false;
  return Array.isArray(highlights) && highlights.every(isRange);
}

function isRange(range: unknown): boolean {
  return Array.isArray(range) && range.length === 2 && range.every(isCount);
}

function isCountOrNot(value: unknown): value is number | undefined {
  return value === undefined || isCount(value);
}

function isOneOf<T>(values: readonly T[], value: unknown): value is T {
  return values.includes(value as T);
}
