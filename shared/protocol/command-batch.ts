// Command batch: both halves of the message that a lane publishes on `cmd.<p>`.
//
// All gateways share one NATS user, so the sender of a batch is not proven. The owner accepts a
// batch only when every part of it is valid. One malformed command refuses the whole batch, and
// nothing changes. A command with an unknown op is one of a newer gateway: its number is kept, so
// that the owner can refuse it alone (N6). The decoder is written by hand, because every message of
// every user passes through it.
//
//   command-batch.1. A decoded batch has the declared types and keeps every bound that a
//        gateway keeps.
//   command-batch.2. No text makes the decoder throw.
//   command-batch.3. Every op has its row in IS_VALID. An op without a row does not compile.

import { isObject, parseObject } from "../kit/json.ts";
import type { JsonObject } from "../kit/json.ts";
import { isAttachmentsOrNot } from "./attachments.ts";
import { isBodyTooLarge, isCleanBody } from "./body.ts";
import { COMMAND_VERSION } from "./commands.ts";
import type { Command, CommandBatch } from "./commands.ts";
import { isEmoji } from "./emoji.ts";
import { isMentions } from "./events.ts";
import { isInviteHash, isInviteRole } from "./invites.ts";
import { isMessageId, isProcessId, isRoomId, isTextWithin, isUserId } from "./ids.ts";
import {
  AVATAR_LENGTH_MAX,
  BODY_BYTES_MAX,
  COMMAND_BATCH_BYTES_MAX,
  CREATE_MEMBERS_MAX,
  EDIT_WINDOW_S_MAX,
  IMPORT_EVENTS_MAX,
  INVITE_TTL_S_MAX,
  INVITE_USES_MAX,
  LANE_INCARNATION_MAX,
  MEMBERS_PAGE_MAX,
  REASON_LENGTH_MAX,
  SLOW_MODE_S_MAX,
  SYNC_ROOMS_MAX,
  TITLE_LENGTH_MAX,
  TOPIC_LENGTH_MAX,
} from "./limits.ts";
import { isImportable } from "./imported-events.ts";
import { isGrant, isMemberRole, isRole, isRoomKind } from "./roles.ts";

/** Twice the bound of a lane, which does not count the `late` that it adds on a resend. */
const TEXT_UNITS_MAX = 2 * COMMAND_BATCH_BYTES_MAX;
const TRACE_UNITS_MAX = 128;

/** One command. A lane encodes it once and keeps the text for resends. */
export function encodeCommand(command: Command): string {
  return JSON.stringify(command);
}

/** The same command with `late` (commands.ts). */
export function encodeLate(command: string): string {
  return `${command.slice(0, -1)},"late":true}`;
}

/** `commands` are texts of `encodeCommand`. */
export function encodeCommandBatch(
  { gw, lane, n }: Omit<CommandBatch, "v" | "commands">,
  commands: readonly string[],
): string {
  const head = `"v":${COMMAND_VERSION},"gw":"${gw}","lane":${lane},"n":${n}`;
  return `{${head},"commands":[${commands.join(",")}]}`;
}

/** Undefined unless the text is a whole batch of a known version. */
export function decodeCommandBatch(text: string): CommandBatch | undefined {
  if (text.length > TEXT_UNITS_MAX) return undefined;
  const batch = parseObject(text);
  if (batch?.["v"] !== COMMAND_VERSION || !isProcessId(batch["gw"])) return undefined;
  const { lane, n, commands } = batch;
  if (!isPositive(lane) || lane > LANE_INCARNATION_MAX || !isPositive(n)) return undefined;
  if (!Array.isArray(commands)) return undefined;
  // A body in a text shorter than the largest body needs no measuring.
  const isLong = text.length > BODY_BYTES_MAX;
  const unknown: number[] = [];
  for (const command of commands as readonly unknown[]) {
    if (!isObject(command) || !isPositive(command["c"])) return undefined;
    const { op } = command;
    if (typeof op !== "string") return undefined;
    if (!isOp(op)) unknown.push(command["c"]);
    else if (!IS_VALID[op](command, isLong)) return undefined;
  }
  const head = { v: COMMAND_VERSION, gw: batch["gw"], lane, n } as const;
  const all = commands as readonly Command[];
  if (unknown.length === 0) return { ...head, commands: all };
  return { ...head, commands: all.filter(({ op }) => isOp(op)), unknown };
}

type IsValid = (command: JsonObject, isLong: boolean) => boolean;

/** What each op must have beside `c` (command-batch.3). */
const IS_VALID: { readonly [Op in Command["op"]]: IsValid } = {
  send: (command, isLong) =>
    isWrite(command) &&
    hasMessage(command, isLong) &&
    isMentionsOrNot(command) &&
    isAttachmentsOrNot(command["attachments"]) &&
    (command["until"] === undefined || isSequence(command["until"])),
  edit: (command, isLong) =>
    isChange(command) && hasMessage(command, isLong) && isMentionsOrNot(command),
  delete: (command) => isChange(command) && isText(command["reason"], REASON_LENGTH_MAX),
  react: (command) => isChange(command) && isEmoji(command["emoji"]) && isOn(command["on"]),
  pin: (command) => isChange(command) && isOn(command["on"]),
  create: (command) => isWrite(command) && hasSettings(command) && hasMembers(command),
  member: (command) => isWrite(command) && hasStanding(command),
  update: (command) => isWrite(command) && hasSettings(command) && isFlag(command["archived"]),
  invite: (command) => isWrite(command) && hasTerms(command),
  revoke: (command) => isWrite(command) && isMessageId(command["invite"]),
  enter: (command) =>
    isWrite(command) && isMessageId(command["invite"]) && isInviteHash(command["hash"]),
  join: isRead,
  leave: ({ room, user }) => isRoomId(room) && isUserId(user),
  head: ({ room, user, grant }) =>
    isRoomId(room) && (user === undefined || isUserId(user)) && isGrantOrNot(grant),
  about: isRead,
  members: (command) => {
    const { after, limit } = command;
    if (!isRead(command) || !(after === undefined || isUserId(after))) return false;
    return isPositive(limit) && limit <= MEMBERS_PAGE_MAX;
  },
  invites: isRead,
  range: ({ room, first, last }) => isRoomId(room) && isPositive(first) && isSequence(last),
  sync: ({ rooms }) => isSync(rooms),
  import: (command) => isRead(command) && hasEvents(command),
};

function isOp(op: string): op is Command["op"] {
  return Object.hasOwn(IS_VALID, op);
}

/** What every write has. */
function isWrite({ room, from, id, grant, trace, late, unordered }: JsonObject): boolean {
  if (!isRoomId(room) || !isUserId(from) || !isMessageId(id)) return false;
  if (!isGrantOrNot(grant)) return false;
  if (trace !== undefined && !(typeof trace === "string" && trace.length <= TRACE_UNITS_MAX)) {
    return false;
  }
  return isMarkOrNot(late) && isMarkOrNot(unordered);
}

function isMarkOrNot(mark: unknown): boolean {
  return mark === undefined || mark === true;
}

/** What every change of a message has. */
function isChange(command: JsonObject): boolean {
  return isWrite(command) && isPositive(command["target"]);
}

function hasMessage({ body, replyTo, thread }: JsonObject, isLong: boolean): boolean {
  if (replyTo !== undefined && !isPositive(replyTo)) return false;
  if (thread !== undefined && !isPositive(thread)) return false;
  return isObject(body) && isCleanBody(body) && !(isLong && isBodyTooLarge(body));
}

function isMentionsOrNot({ mentions }: JsonObject): boolean {
  return mentions === undefined || isMentions(mentions);
}

/** What every query of a user has. */
function isRead({ room, user, grant }: JsonObject): boolean {
  return isRoomId(room) && isUserId(user) && isGrantOrNot(grant);
}

/** A grant that only a newer version knows counts as none (N6). */
function isGrantOrNot(grant: unknown): boolean {
  return grant === undefined || isGrant(grant) || typeof grant === "string";
}

function hasSettings(settings: JsonObject): boolean {
  const { title, topic, avatar, sendRole, slowMode, editWindow } = settings;
  return (
    isText(title, TITLE_LENGTH_MAX) &&
    isText(topic, TOPIC_LENGTH_MAX) &&
    isText(avatar, AVATAR_LENGTH_MAX) &&
    (sendRole === undefined || isMemberRole(sendRole)) &&
    isSeconds(slowMode, SLOW_MODE_S_MAX) &&
    isSeconds(editWindow, EDIT_WINDOW_S_MAX)
  );
}

function hasMembers({ kind, user, members = [] }: JsonObject): boolean {
  if (!isRoomKind(kind) || !Array.isArray(members)) return false;
  if ((kind === "direct") !== isUserId(user)) return false;
  if (members.length > (kind === "direct" ? 0 : CREATE_MEMBERS_MAX)) return false;
  const users = new Set<unknown>();
  for (const member of members as readonly unknown[]) {
    if (!isObject(member) || !isUserId(member["user"])) return false;
    if (member["role"] !== undefined && !isMemberRole(member["role"])) return false;
    users.add(member["user"]);
  }
  return users.size === members.length;
}

function hasStanding({ user, role, mutedUntil, banned, reason }: JsonObject): boolean {
  if (!isUserId(user) || !isRole(role) || !isText(reason, REASON_LENGTH_MAX)) return false;
  return (mutedUntil === undefined || isSequence(mutedUntil)) && isFlag(banned);
}

function hasTerms({ hash, role, ttl, uses }: JsonObject): boolean {
  if (!isInviteHash(hash) || !(role === undefined || isInviteRole(role))) return false;
  if (ttl !== undefined && !(isPositive(ttl) && ttl <= INVITE_TTL_S_MAX)) return false;
  return uses === undefined || (isPositive(uses) && uses <= INVITE_USES_MAX);
}

function hasEvents({ room, born, events }: JsonObject): boolean {
  if (!isMessageId(born) || !Array.isArray(events) || events.length > IMPORT_EVENTS_MAX)
    return false;
  return events.every((event) => isImportable(event) && event.room === room);
}

function isUserGrant(item: unknown): boolean {
  if (!Array.isArray(item)) return false;
  const [user, grant] = item as readonly unknown[];
  return isUserId(user) && typeof grant === "string";
}

function isText(value: unknown, lengthMax: number): boolean {
  if (value === undefined) return true;
  return typeof value === "string" && isTextWithin(value, lengthMax);
}

function isSeconds(value: unknown, max: number): boolean {
  return value === undefined || (isSequence(value) && value <= max);
}

function isOn(value: unknown): boolean {
  return typeof value === "boolean";
}

function isFlag(value: unknown): boolean {
  return value === undefined || typeof value === "boolean";
}

function isSync(rooms: unknown): boolean {
  if (!Array.isArray(rooms) || rooms.length > SYNC_ROOMS_MAX) return false;
  return (rooms as readonly unknown[]).every((item) => {
    if (!Array.isArray(item)) return false;
    const [room, last, users, grants = []] = item as readonly unknown[];
    if (!isRoomId(room) || !isSequence(last)) return false;
    if (!Array.isArray(users) || !users.every(isUserId)) return false;
    return Array.isArray(grants) && grants.every(isUserGrant);
  });
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isSequence(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
