// History: both halves of the requests of gateways and owners to the archive on `hist.<p>`, and of
// the replies.
//
// A request is one JSON object. A reply is a JSON header on the first line and then its event
// lines. The sequence numbers of a room are dense, so every read is a range. Does not own: how
// persistence answers (history-server.ts).
//
//   history.1. Everything in a reply is archived, and consistent with its `watermark`.
//   history.2. A reply to `range` can be a part of the range. The part begins at `first` and
//        has no gap.
//   history.3. `snapshot.ids` has every archived id of the room whose own time is ≥ `floor` and
//        ≥ the floor of its sender in `floors`, if there is one. Floors compare ids with ids, so a
//        wrong clock cannot break dedupe.

import { isCount, isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isMentions } from "./events.ts";
import type { Mentions, RoomSettings } from "./events.ts";
import { isMessageId, isRoomId, isUserId } from "./ids.ts";
import type { Epoch, LogSeq, MessageId, Millis, RoomId, Seq, UserId } from "./ids.ts";
import { isInviteHash, isInviteRole } from "./invites.ts";
import type { InviteRole } from "./invites.ts";
import { PAGE_EVENTS_MAX } from "./limits.ts";
import { readNamesReply, readNamesRequest } from "./names.ts";
import type { NamesReply, NamesRequest } from "./names.ts";
import { readRoomListReply, readRoomListRequest } from "./room-list.ts";
import type { RoomListReply, RoomListRequest } from "./room-list.ts";
import { isRole, isRoomKind } from "./roles.ts";
import type { Role } from "./roles.ts";
import { readSearchReply, readSearchRequest } from "./search.ts";
import type { SearchReply, SearchRequest } from "./search.ts";

export const HISTORY_VERSION = 1;

export type HistoryRequest = { readonly v: typeof HISTORY_VERSION } &
  /** `claim`: the log sequence of the owner's claim; 0 before it has one. */
  (
    | { readonly op: "watermark"; readonly claim: LogSeq }
    | { readonly op: "snapshot"; readonly room: RoomId; readonly since: Millis }
    /** The stored members of the room behind the user `after`, for a state that is cut. */
    | { readonly op: "members"; readonly room: RoomId; readonly after: UserId }
    | { readonly op: "range"; readonly room: RoomId; readonly first: Seq; readonly last: Seq }
    | ({ readonly op: "messages"; readonly room: RoomId } & MessagesQuery)
    | {
        readonly op: "lookup";
        readonly room: RoomId;
        readonly from: UserId;
        readonly id: MessageId;
        /** The event that the write names. */
        readonly target?: Seq | undefined;
      }
    | RoomListRequest
    | SearchRequest
    | NamesRequest
  );

/** The archived state of a room. A room without an archived event has head 0 and born "". */
export interface RoomSnapshot {
  readonly room: RoomId;
  readonly watermark: LogSeq;
  readonly head: Seq;
  readonly born: string;
  readonly floor: Millis;
  /** The floors of senders with more ids from the future than fit (P24). */
  readonly floors?: readonly (readonly [UserId, Millis])[];
  /** [id, sender, seq, at] */
  readonly ids: readonly (readonly [MessageId, UserId, Seq, Millis])[];
  /** The newest lines. The last one is `head`. */
  readonly tail: readonly string[];
  /** `at` of the newest event; 0 when there is none. */
  readonly lastAt: Millis;
  /** Undefined: the room has no settings and no stored members. */
  readonly state?: RoomSnapshotState;
  /** In a room with slow mode: the newest message of each recent sender, in their order. */
  readonly senders?: readonly SenderTime[];
}

/** [user, at, seq] of a message. */
export type SenderTime = readonly [UserId, Millis, Seq];

/** [user, role, muted until (0: not muted), banned] */
export type StoredMember = readonly [UserId, Role, Millis, boolean];

/** [invite, hash, role, until, uses, used] */
export type StoredInvite = readonly [MessageId, string, InviteRole, Millis, number, number];

/** The settings and the stored members of a room, the members in ascending order of their ids. */
export interface RoomSnapshotState {
  /** Undefined: the room has no `room` event. */
  readonly settings?: RoomSettings;
  readonly members: readonly StoredMember[];
  /** The invites in force behind the room's last event. */
  readonly invites?: readonly StoredInvite[];
  /** More members follow behind the last one. */
  readonly isCut?: true;
}

/** What a change needs of the message that it names. */
export interface TargetMessage {
  /** Undefined only for a deleted message. */
  readonly from?: UserId;
  /** When it was sent; an archive of an older version does not say it. */
  readonly at?: Millis;
  /** The root of the thread that the message is in. */
  readonly thread?: Seq;
  /** Whom it mentions now; an archive of an older version does not say it. */
  readonly mentions?: Mentions;
  readonly isDeleted?: true;
}

/** The archived event `seq`. Without `message` it is no message. */
export interface ArchivedTarget {
  readonly seq: Seq;
  readonly message?: TargetMessage;
}

/** Lines first, first+1, … Empty when the archive has no event at or above `first`. */
export interface ArchivedRange {
  readonly first: Seq;
  readonly lines: readonly string[];
  /** The room's archived head. */
  readonly head: Seq;
}

/**
 * The messages of the main line, of the thread with the root `thread`, or those that are pinned. At
 * most one of `before` and `after` is set; with neither, the page is the newest one.
 */
export interface MessagesQuery {
  readonly before?: Seq | undefined;
  readonly after?: Seq | undefined;
  readonly limit: number;
  readonly thread?: Seq | undefined;
  readonly pinned?: true | undefined;
  /**
   * The event that the reader needs: a page as of this one, or of a later one, is an answer. An
   * older page is one too while the archive has no more. Undefined: as of now.
   */
  readonly atLeast?: Seq | undefined;
}

/** Messages as they are now, ascending: their lines with their states (message-view.ts). */
export interface MessagesPage {
  readonly lines: readonly string[];
  /** The page has every message with a number from `first` to `last`. */
  readonly first: Seq;
  readonly last: Seq;
  /** Further numbers follow in the direction of the page. */
  readonly more: boolean;
  /** The archived head: the page shows the messages as of this event. */
  readonly head: Seq;
}

export interface MembersPage {
  readonly members: readonly StoredMember[];
  readonly isCut?: true;
}

export type HistoryReply =
  | {
      readonly ok: true;
      readonly op: "watermark";
      readonly watermark: LogSeq;
      /** The epoch in force after the watermark. A reader that begins there needs it (P15). */
      readonly epoch: Epoch;
      /** The `of` of the partition behind the watermark, when it has split. */
      readonly of?: number;
    }
  | { readonly ok: true; readonly op: "snapshot"; readonly snapshot: RoomSnapshot }
  | ({ readonly ok: true; readonly op: "members" } & MembersPage)
  | { readonly ok: true; readonly op: "range"; readonly range: ArchivedRange }
  | { readonly ok: true; readonly op: "messages"; readonly page: MessagesPage }
  | {
      readonly ok: true;
      readonly op: "lookup";
      /** Undefined: the id is not archived at this watermark. */
      readonly found?: { readonly seq: Seq; readonly at: Millis };
      /** The requested target; a persistence process of an older version does not answer it. */
      readonly target?: ArchivedTarget;
      readonly watermark: LogSeq;
    }
  | RoomListReply
  | SearchReply
  | NamesReply
  | { readonly ok: false; readonly error: "unavailable" | "bad_request" };

/** `claim` is "unknown" in a request of an older version, which has no claim. */
export type DecodedRequest =
  | Exclude<HistoryRequest, { readonly op: "watermark" }>
  | { readonly op: "watermark"; readonly claim: LogSeq | "unknown" };

type RequestOf<R> = R extends HistoryRequest ? Omit<R, "v"> : never;

export function encodeRequest(request: RequestOf<HistoryRequest>): string {
  return JSON.stringify({ v: HISTORY_VERSION, ...request });
}

/** Undefined unless the text is a whole request of a known version. */
export function decodeRequest(text: string): DecodedRequest | undefined {
  const request = parseObject(text);
  if (request?.["v"] !== HISTORY_VERSION) return undefined;
  const { op, room, since, first, last, from, id, claim } = request;
  if (op === "watermark") return { op, claim: isCount(claim) ? claim : "unknown" };
  const v = HISTORY_VERSION;
  if (op === "rooms" || op === "find" || op === "reads") {
    const list = readRoomListRequest(request);
    return list && { v, ...list };
  }
  if (op === "search") {
    const search = readSearchRequest(request);
    return search && { v, ...search };
  }
  if (op === "names" || op === "name") {
    const names = readNamesRequest(request);
    return names && { v, ...names };
  }
  if (!isRoomId(room)) return undefined;
  if (op === "members" && isUserId(request["after"])) {
    return { v, op, room, after: request["after"] };
  }
  if (op === "messages") return readMessagesQuery(room, request);
  if (op === "snapshot" && isCount(since)) return { v, op, room, since };
  if (op === "range" && isCount(first) && first >= 1 && isCount(last)) {
    return { v, op, room, first, last };
  }
  if (op === "lookup" && isUserId(from) && isMessageId(id)) {
    const { target } = request;
    if (target !== undefined && !isCount(target)) return undefined;
    return { v, op, room, from, id, ...(target !== undefined && { target }) };
  }
  return undefined;
}

function readMessagesQuery(room: RoomId, request: JsonObject): DecodedRequest | undefined {
  const { before, after, limit, thread, pinned, atLeast } = request;
  if (!isCount(limit) || limit < 1 || limit > PAGE_EVENTS_MAX) return undefined;
  if (!isCountOrNot(before) || !isCountOrNot(after) || !isCountOrNot(thread)) return undefined;
  if (pinned !== undefined && pinned !== true) return undefined;
  if (!isCountOrNot(atLeast)) return undefined;
  const isPinned = pinned === true && { pinned: true as const };
  const query = { before, after, limit, thread, ...isPinned, atLeast };
  return { v: HISTORY_VERSION, op: "messages", room, ...query };
}

function isCountOrNot(value: unknown): value is number | undefined {
  return value === undefined || isCount(value);
}

export function encodeReply(reply: HistoryReply): string {
  if (!reply.ok) return JSON.stringify({ v: HISTORY_VERSION, ...reply });
  if (reply.op === "snapshot") {
    const { tail, ...rest } = reply.snapshot;
    const header = { v: HISTORY_VERSION, ok: true, op: reply.op, ...rest, count: tail.length };
    return [JSON.stringify(header), ...tail].join("\n");
  }
  if (reply.op === "range") {
    const { first, lines, head } = reply.range;
    const header = { v: HISTORY_VERSION, ok: true, op: reply.op, first, count: lines.length, head };
    return [JSON.stringify(header), ...lines].join("\n");
  }
  if (reply.op === "messages") {
    const { lines, ...page } = reply.page;
    const header = { v: HISTORY_VERSION, ok: true, op: reply.op, ...page, count: lines.length };
    return [JSON.stringify(header), ...lines].join("\n");
  }
  return JSON.stringify({ v: HISTORY_VERSION, ...reply });
}

/** Undefined unless the text is a whole reply of a known version. */
export function decodeReply(text: string): HistoryReply | undefined {
  const end = text.indexOf("\n");
  const header = parseObject(end < 0 ? text : text.slice(0, end));
  if (header === undefined || header["v"] !== HISTORY_VERSION) return undefined;
  const lines = end < 0 ? [] : text.slice(end + 1).split("\n");
  const { v: _version, count = 0, ...reply } = header;
  if (count !== lines.length) return undefined;
  if (reply["ok"] === false && lines.length === 0) {
    const { error } = reply;
    return error === "unavailable" || error === "bad_request" ? { ok: false, error } : undefined;
  }
  if (reply["ok"] !== true) return undefined;
  const { ok: _ok, op, ...rest } = reply;
  switch (op) {
    case "range": {
      const { first, head } = rest;
      if (!isCount(first) || !isCount(head)) return undefined;
      return { ok: true, op, range: { first, head, lines } };
    }
    case "messages": {
      const { head, first, last, more } = rest;
      if (!isCount(head) || !isCount(first) || !isCount(last)) return undefined;
      if (typeof more !== "boolean") return undefined;
      return { ok: true, op, page: { head, first, last, more, lines } };
    }
    case "snapshot": {
      if (!isSnapshot(rest)) return undefined;
      return { ok: true, op, snapshot: { ...rest, tail: lines } as unknown as RoomSnapshot };
    }
    case "members":
      return lines.length === 0 && isMembersPage(rest)
        ? (reply as unknown as HistoryReply)
        : undefined;
    case "watermark":
      return lines.length === 0 && isWatermark(rest)
        ? (reply as unknown as HistoryReply)
        : undefined;
    case "lookup":
      return lines.length === 0 &&
        isCount(rest["watermark"]) &&
        isFoundOrNot(rest["found"]) &&
        isTargetOrNot(rest["target"])
        ? (reply as unknown as HistoryReply)
        : undefined;
    case "search":
      return lines.length === 0 ? readSearchReply(rest) : undefined;
    case "names":
    case "name":
      return lines.length === 0 ? readNamesReply(op, rest) : undefined;
    default:
      return lines.length === 0 ? readRoomListReply(op, rest) : undefined;
  }
}

function isWatermark({ watermark, epoch, of }: JsonObject): boolean {
  return isCount(watermark) && isCount(epoch) && (of === undefined || isCount(of));
}

function isSnapshot(snapshot: JsonObject): boolean {
  const { room, watermark, head, born, floor, floors = [], ids, lastAt } = snapshot;
  if (!isRoomId(room) || !isCount(watermark) || !isCount(head)) return false;
  if (typeof born !== "string" || !Number.isFinite(floor) || !Number.isFinite(lastAt)) return false;
  if (!Array.isArray(floors) || !floors.every(isSenderFloor)) return false;
  if (snapshot["state"] !== undefined && !isSnapshotState(snapshot["state"])) return false;
  const { senders = [] } = snapshot;
  if (!Array.isArray(senders) || !senders.every(isSenderTime)) return false;
  return Array.isArray(ids) && ids.every(isSnapshotId);
}

function isSenderTime(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [user, at, seq] = item as readonly unknown[];
  return typeof user === "string" && Number.isSafeInteger(at) && isCount(seq);
}

function isSnapshotState(state: unknown): boolean {
  if (!isObject(state) || !isMembersPage(state)) return false;
  const { settings, invites = [] } = state;
  if (!Array.isArray(invites) || !invites.every(isStoredInvite)) return false;
  return settings === undefined || (isObject(settings) && isRoomKind(settings["kind"]));
}

function isStoredInvite(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [invite, hash, role, until, uses, used] = item as readonly unknown[];
  if (!isMessageId(invite) || !isInviteHash(hash) || !isInviteRole(role)) return false;
  return isCount(until) && isCount(uses) && isCount(used);
}

function isMembersPage({ members, isCut }: JsonObject): boolean {
  if (isCut !== undefined && isCut !== true) return false;
  return Array.isArray(members) && members.every(isStoredMember);
}

function isStoredMember(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [user, role, mutedUntil, banned] = item as readonly unknown[];
  return (
    typeof user === "string" && isRole(role) && isCount(mutedUntil) && typeof banned === "boolean"
  );
}

function isSenderFloor(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [sender, floor] = item as readonly unknown[];
  return typeof sender === "string" && Number.isFinite(floor);
}

/** The sender can be any string: quarantine keeps it unchanged (keysOf in archived-ids.ts). */
function isSnapshotId(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [id, sender, seq, at] = item as readonly unknown[];
  return isMessageId(id) && typeof sender === "string" && isCount(seq) && Number.isSafeInteger(at);
}

function isFoundOrNot(value: unknown): boolean {
  if (value === undefined) return true;
  return isObject(value) && isCount(value["seq"]) && Number.isSafeInteger(value["at"]);
}

function isTargetOrNot(target: unknown): boolean {
  if (target === undefined) return true;
  if (!isObject(target) || !isCount(target["seq"])) return false;
  const { message } = target;
  if (message === undefined) return true;
  if (!isObject(message)) return false;
  const { from, at, thread, mentions, isDeleted } = message;
  if (thread !== undefined && !isCount(thread)) return false;
  if (mentions !== undefined && !isMentions(mentions)) return false;
  if (at !== undefined && !Number.isSafeInteger(at)) return false;
  return isUserId(from) || (from === undefined && isDeleted === true);
}
