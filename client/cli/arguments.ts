// Arguments: how the command reads the texts of its arguments and flags. Each parser throws
// InvalidArgumentError with the expected form; commander adds the name of the argument or flag.

import { InvalidArgumentError } from "commander";
import { isEmoji } from "#shared/protocol/emoji.ts";
import { isMessageId, isRoomId, isUserId } from "#shared/protocol/ids.ts";
import type { MessageId, Partition, RoomId, UserId } from "#shared/protocol/ids.ts";
import { decodeInvite } from "#shared/protocol/invites.ts";
import { PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { isMemberRole } from "#shared/protocol/roles.ts";
import type { MemberRole } from "#shared/protocol/roles.ts";

export function roomOf(text: string): RoomId {
  if (isRoomId(text)) return text;
  throw new InvalidArgumentError("Expected a room id: 1 to 64 characters of A-Z a-z 0-9 _ and -.");
}

export function userOf(text: string): UserId {
  if (isUserId(text)) return text;
  throw new InvalidArgumentError("Expected a user id of 1 to 128 UTF-8 bytes.");
}

export function roleOf(text: string): MemberRole {
  if (isMemberRole(text)) return text;
  throw new InvalidArgumentError("Expected reader, member, moderator or owner.");
}

export function emojiOf(text: string): string {
  if (isEmoji(text)) return text;
  throw new InvalidArgumentError("Expected one emoji, or a name such as :ok:.");
}

export function textOf(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("Expected a text that is not blank.");
}

export function messageIdOf(text: string): MessageId {
  if (isMessageId(text)) return text;
  throw new InvalidArgumentError("Expected a message id: a lower-case UUIDv7.");
}

export function inviteOf(token: string): { readonly room: RoomId; readonly token: string } {
  const invite = decodeInvite(token);
  if (invite !== undefined) return { room: invite.room, token };
  throw new InvalidArgumentError("Expected the token of an invite: room.id.secret.");
}

/** A sequence number, a log sequence or a partition. */
export function countOf(text: string): number {
  return wholeNumber(text, 0, Number.MAX_SAFE_INTEGER);
}

export function pageSizeOf(text: string): number {
  return wholeNumber(text, 1, PAGE_EVENTS_MAX);
}

/** A number of partitions or replicas. */
export function amountOf(text: string): number {
  return wholeNumber(text, 1, Number.MAX_SAFE_INTEGER);
}

export function partitionsOf(text: string): Partition[] {
  return text.split(",").map(countOf);
}

function wholeNumber(text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
  throw new InvalidArgumentError(`Expected a whole number ${range}.`);
}
