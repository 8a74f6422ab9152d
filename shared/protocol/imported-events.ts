// Imported events: which events of another room an owner takes.
//
//   imported-events.1. An event that is taken has the declared type of its kind and keeps the
//        bounds that its write would keep, so that every reader of the room can rely on both. An
//        event of a kind that this version does not know is refused.

import { isCount, isObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isAttachmentsOrNot } from "./attachments.ts";
import { isBodyTooLarge, isCleanBody } from "./body.ts";
import { isEmoji } from "./emoji.ts";
import { isMentions } from "./events.ts";
import type { RoomEvent } from "./events.ts";
import { isMessageId, isRoomId, isTextWithin, isUserId } from "./ids.ts";
import { isInviteHash, isInviteRole } from "./invites.ts";
import {
  AVATAR_LENGTH_MAX,
  EDIT_WINDOW_S_MAX,
  REASON_LENGTH_MAX,
  SLOW_MODE_S_MAX,
  TITLE_LENGTH_MAX,
  TOPIC_LENGTH_MAX,
} from "./limits.ts";
import { isMemberRole, isRole, isRoomKind } from "./roles.ts";

type IsValid = (event: JsonObject) => boolean;

const IS_VALID: { readonly [K in RoomEvent["t"]]: IsValid } = {
  msg: ({ body, replyTo, thread, mentions, attachments, deleted }) =>
    isBody(body) &&
    isSeqOrNot(replyTo) &&
    isSeqOrNot(thread) &&
    isMentionsOrNot(mentions) &&
    isAttachmentsOrNot(attachments) &&
    isDeletionOrNot(deleted),
  edited: ({ target, body, mentions, deleted }) =>
    isSeq(target) && isBody(body) && isMentionsOrNot(mentions) && isDeletionOrNot(deleted),
  deleted: ({ target, reason }) => isSeq(target) && isTextOrNot(reason, REASON_LENGTH_MAX),
  reacted: ({ target, emoji, on }) => isSeq(target) && isEmoji(emoji) && typeof on === "boolean",
  pinned: ({ target, on }) => isSeq(target) && typeof on === "boolean",
  member: ({ user, role, mutedUntil, banned, reason, invite, use }) =>
    isUserId(user) &&
    isRole(role) &&
    isSeqOrNot(mutedUntil) &&
    isTrueOrNot(banned) &&
    isTextOrNot(reason, REASON_LENGTH_MAX) &&
    (invite === undefined || isMessageId(invite)) &&
    isSeqOrNot(use),
  invite: ({ invite, hash, role, until, uses, revoked }) =>
    isMessageId(invite) &&
    (hash === undefined || isInviteHash(hash)) &&
    (role === undefined || isInviteRole(role)) &&
    isCountOrNot(until) &&
    isSeqOrNot(uses) &&
    isTrueOrNot(revoked),
  room: ({ kind, title, topic, avatar, sendRole, archived, slowMode, slowFrom, editWindow }) =>
    isRoomKind(kind) &&
    isTextOrNot(title, TITLE_LENGTH_MAX) &&
    isTextOrNot(topic, TOPIC_LENGTH_MAX) &&
    isTextOrNot(avatar, AVATAR_LENGTH_MAX) &&
    (sendRole === undefined || isMemberRole(sendRole)) &&
    isTrueOrNot(archived) &&
    isCountOrNot(slowMode, SLOW_MODE_S_MAX) &&
    isCountOrNot(slowFrom) &&
    isCountOrNot(editWindow, EDIT_WINDOW_S_MAX),
};

/** imported-events.1. */
export function isImportable(event: unknown): event is RoomEvent {
  if (!isObject(event)) return false;
  const { t, room, seq, id, from, at } = event;
  if (typeof t !== "string" || !Object.hasOwn(IS_VALID, t)) return false;
  if (!isRoomId(room) || !isSeq(seq) || !isMessageId(id) || !isUserId(from)) return false;
  return isCount(at) && IS_VALID[t as RoomEvent["t"]](event);
}

function isBody(body: unknown): boolean {
  return isObject(body) && isCleanBody(body) && !isBodyTooLarge(body);
}

function isMentionsOrNot(mentions: unknown): boolean {
  return mentions === undefined || isMentions(mentions);
}

function isDeletionOrNot(deleted: unknown): boolean {
  if (deleted === undefined) return true;
  if (!isObject(deleted)) return false;
  return isUserId(deleted["by"]) && isCount(deleted["at"]) && isSeq(deleted["seq"]);
}

function isSeq(value: unknown): boolean {
  return isCount(value) && value >= 1;
}

function isSeqOrNot(value: unknown): boolean {
  return value === undefined || isSeq(value);
}

function isCountOrNot(value: unknown, max = Number.MAX_SAFE_INTEGER): boolean {
  return value === undefined || (isCount(value) && value <= max);
}

function isTrueOrNot(value: unknown): boolean {
  return value === undefined || value === true;
}

function isTextOrNot(value: unknown, max: number): boolean {
  return value === undefined || (typeof value === "string" && isTextWithin(value, max));
}
