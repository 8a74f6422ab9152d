// Room list: both halves of what gateways and persistence exchange about the rooms of a user: the
// list with its unread counts, the search for open rooms, and read positions. All are requests on
// `hist.<p>` (history.ts).
//
//   room-list.1. A decoded request and a decoded reply have the declared types and keep the bounds
//        of limits.ts. A malformed part refuses the whole.
//   room-list.2. The cursor of a page is the place of its last room: the time of its newest event
//        and its id.
//   room-list.3. A listed message has at most PREVIEW_LENGTH_MAX characters of its text, and as
//        many of the names of its files: the last name can be cut. So a page has a bound.

import { isCount, isObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isRoomId, isTextWithin, isUserId } from "./ids.ts";
import type { Millis, RoomId, Seq, UserId } from "./ids.ts";
import {
  ATTACHMENTS_MAX,
  FIND_TEXT_LENGTH_MAX,
  PREVIEW_LENGTH_MAX,
  READS_BATCH_MAX,
  ROOMS_PAGE_MAX,
} from "./limits.ts";
import { isRole, isRoomKind } from "./roles.ts";
import type { Role, RoomKind } from "./roles.ts";

/** [room, user, the number up to which the user has read it] */
export type ReadPosition = readonly [RoomId, UserId, Seq];

export interface RoomsQuery {
  /** The user whose rooms are listed. */
  readonly user: UserId;
  /** The `next` of the page before (room-list.2). */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A room of a user, as of the archive. */
export interface ListedRoom {
  readonly room: RoomId;
  readonly kind: RoomKind;
  readonly title?: string;
  readonly role: Role;
  readonly head: Seq;
  /** `at` of its newest event. */
  readonly at: Millis;
  /** The read position of the user. */
  readonly read: Seq;
  /** Messages of others behind the read position, and those of them that mention the user. */
  readonly unread: number;
  readonly mentions: number;
  readonly last?: LastMessage;
}

/** The newest message that is not deleted, with the begin of its text. */
export interface LastMessage {
  readonly seq: Seq;
  readonly from: UserId;
  readonly at: Millis;
  readonly text: string;
  /** The names of its files (room-list.3). */
  readonly files?: readonly string[];
}

/** Newest activity first. */
export interface RoomsPage {
  readonly rooms: readonly ListedRoom[];
  /** The `after` of the next page; undefined: there is none. */
  readonly next?: string;
}

export interface FindQuery {
  readonly user: UserId;
  /** A part of the title or of the id, in any case; "": every room. */
  readonly text: string;
  /** The `next` of the page before. */
  readonly after?: RoomId | undefined;
  readonly limit: number;
}

export interface FoundRoom {
  readonly room: RoomId;
  readonly title?: string;
  readonly topic?: string;
  readonly role: Role;
  readonly head: Seq;
  readonly at: Millis;
}

/** In the order of the ids. It can be empty and have `next`. */
export interface FoundRooms {
  readonly rooms: readonly FoundRoom[];
  readonly next?: RoomId;
}

export type RoomListRequest =
  | ({ readonly op: "rooms" } & RoomsQuery)
  | ({ readonly op: "find" } & FindQuery)
  | { readonly op: "reads"; readonly reads: readonly ReadPosition[] };

export type RoomListReply =
  | { readonly ok: true; readonly op: "rooms"; readonly page: RoomsPage }
  | { readonly ok: true; readonly op: "find"; readonly found: FoundRooms }
  /** `again`: positions to say again (ports/room-lists.3). */
  | { readonly ok: true; readonly op: "reads"; readonly again: readonly ReadPosition[] };

/** The API description publishes it. 15 digits: each such number is exact (2^53 has 16). */
export const CURSOR_PATTERN = "^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$";
const CURSOR = new RegExp(CURSOR_PATTERN, "u");

/** room-list.2. */
export function cursorOf({ at, room }: Pick<ListedRoom, "at" | "room">): string {
  return `${at}.${room}`;
}

export interface RoomsPlace {
  readonly at: Millis;
  readonly room: RoomId;
}

/** Undefined for a text that is no cursor. */
export function readCursor(text: string): RoomsPlace | undefined {
  if (!CURSOR.test(text)) return undefined;
  const [at = "", room = ""] = text.split(".");
  return isRoomId(room) ? { at: Number(at), room } : undefined;
}

/** `attachments`: of the event. */
export function excerptOf(
  body: unknown,
  attachments: unknown,
): Pick<LastMessage, "text" | "files"> {
  const text = previewOf(body);
  const files: string[] = [];
  let left = PREVIEW_LENGTH_MAX;
  for (const file of Array.isArray(attachments) ? attachments : []) {
    const name = beginOf(file, "name", left);
    if (name === "") break;
    files.push(name);
    left -= Array.from(name).length;
  }
  return files.length === 0 ? { text } : { text, files };
}

/** The begin of a message's text: at most PREVIEW_LENGTH_MAX characters. */
export function previewOf(body: unknown): string {
  return beginOf(body, "text", PREVIEW_LENGTH_MAX);
}

/** At most `max` characters of a field; "" when it has no text. */
function beginOf(from: unknown, field: string, max: number): string {
  const text = isObject(from) && typeof from[field] === "string" ? from[field] : "";
  // A character has at most two units, so the cut never splits more than the last one.
  const cut = Array.from(text.slice(0, 2 * max))
    .slice(0, max)
    .join("");
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** Undefined for another op, and for a request that is not whole. */
export function readRoomListRequest(request: JsonObject): RoomListRequest | undefined {
  const { op, user, after, limit, text, reads } = request;
  if (op === "reads") return isReads(reads) ? { op, reads } : undefined;
  if (!isUserId(user) || !isCount(limit) || limit < 1 || limit > ROOMS_PAGE_MAX) return undefined;
  if (op === "rooms") {
    const isPlace = typeof after === "string" && readCursor(after) !== undefined;
    if (after === undefined) return { op, user, limit };
    return isPlace ? { op, user, limit, after } : undefined;
  }
  if (op !== "find" || typeof text !== "string") return undefined;
  if (!isTextWithin(text, FIND_TEXT_LENGTH_MAX)) return undefined;
  if (after === undefined) return { op, user, text, limit };
  return isRoomId(after) ? { op, user, text, limit, after } : undefined;
}

/** `rest`: a reply without `ok` and `op`. Undefined for another op. */
export function readRoomListReply(op: unknown, rest: JsonObject): RoomListReply | undefined {
  if (op === "reads") {
    const { again } = rest;
    return isReads(again) ? { ok: true, op, again } : undefined;
  }
  if (op === "rooms") {
    const { page } = rest;
    if (!isObject(page) || !isRooms(page["rooms"], isListedRoom)) return undefined;
    const { next } = page;
    if (next !== undefined && !(typeof next === "string" && CURSOR.test(next))) return undefined;
    return { ok: true, op, page: page as unknown as RoomsPage };
  }
  if (op !== "find") return undefined;
  const { found } = rest;
  if (!isObject(found) || !isRooms(found["rooms"], isFoundRoom)) return undefined;
  if (found["next"] !== undefined && !isRoomId(found["next"])) return undefined;
  return { ok: true, op, found: found as unknown as FoundRooms };
}

function isReads(reads: unknown): reads is readonly ReadPosition[] {
  if (!Array.isArray(reads) || reads.length > READS_BATCH_MAX) return false;
  return reads.every((item) => {
    if (!Array.isArray(item)) return false;
    const [room, user, seq] = item as readonly unknown[];
    return isRoomId(room) && isUserId(user) && isCount(seq);
  });
}

function isRooms(rooms: unknown, isOne: (room: JsonObject) => boolean): boolean {
  if (!Array.isArray(rooms) || rooms.length > ROOMS_PAGE_MAX) return false;
  return rooms.every((room) => isObject(room) && isOne(room));
}

function isListedRoom(listed: JsonObject): boolean {
  const { room, kind, role, last, title } = listed;
  if (!isRoomId(room) || !isRoomKind(kind) || !isRole(role) || !isTextOrNot(title)) return false;
  if (!["head", "at", "read", "unread", "mentions"].every((key) => isCount(listed[key]))) {
    return false;
  }
  if (last === undefined) return true;
  if (!isObject(last) || !isCount(last["seq"]) || !isCount(last["at"])) return false;
  return isUserId(last["from"]) && typeof last["text"] === "string" && isFiles(last["files"]);
}

function isFiles(files: unknown): boolean {
  if (files === undefined) return true;
  if (!Array.isArray(files) || files.length > ATTACHMENTS_MAX) return false;
  return files.every((name) => typeof name === "string");
}

function isFoundRoom({ room, title, topic, role, head, at }: JsonObject): boolean {
  if (!isRoomId(room) || !isRole(role) || !isCount(head) || !isCount(at)) return false;
  return isTextOrNot(title) && isTextOrNot(topic);
}

function isTextOrNot(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}
