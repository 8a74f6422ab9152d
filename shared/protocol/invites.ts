// Invites: links with which a guest becomes a member of a closed room.
//
// An invite is an event of its room. It has the hash of a secret, a role, an end and a number of
// uses. The link is a token of room, invite and secret. Who has the token enters: the gateway
// hashes the secret, and the owner of the room compares the hash and counts. So no process needs a
// key, and no reader of the room can make a token from the event.
//
// Owns: the form of tokens and hashes. Does not own: the hashing (shared/adapters/invite-hash.ts),
// the events (invite-events.ts), which invite is in force (services/room/core/invites.ts).

import { isMessageId, isRoomId } from "./ids.ts";
import type { MessageId, RoomId } from "./ids.ts";

/** The base64url form of 32 bytes. */
const HASH = /^[A-Za-z0-9_-]{43}$/;
/** 128 random bits or more. */
export const INVITE_SECRET = /^[A-Za-z0-9_-]{22,64}$/;

/** What an invite gives its guest. */
export type InviteRole = "reader" | "member";

export interface InviteToken {
  readonly room: RoomId;
  readonly invite: MessageId;
  readonly secret: string;
}

export function isInviteHash(value: unknown): value is string {
  return typeof value === "string" && HASH.test(value);
}

export function isInviteSecret(value: unknown): value is string {
  return typeof value === "string" && INVITE_SECRET.test(value);
}

export function isInviteRole(value: unknown): value is InviteRole {
  return value === "reader" || value === "member";
}

export function encodeInvite({ room, invite, secret }: InviteToken): string {
  return `${room}.${invite}.${secret}`;
}

/** Undefined for a text that is no token. */
export function decodeInvite(token: string): InviteToken | undefined {
  const [room, invite, secret, more] = token.split(".", 4);
  if (more !== undefined || !isRoomId(room) || !isMessageId(invite)) return undefined;
  return isInviteSecret(secret) ? { room, invite, secret } : undefined;
}
