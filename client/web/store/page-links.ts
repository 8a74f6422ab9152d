// PageLinks: the addresses that this page understands beside its own: a room, one message of it, an
// invite.
//
//   page-links.1. The secret of an invite is behind "#", so that it reaches no server and no log.
//   page-links.2. It is kept in this window until the user has signed in, perhaps on another page.

import { isRoomId } from "#shared/protocol/ids.ts";
import { load, save } from "./saved-rooms.ts";
import type { KeyValue } from "./saved-rooms.ts";

export interface Target {
  readonly room?: string;
  readonly message?: number;
  readonly invite?: string;
}

export function inviteLink(origin: string, token: string): string {
  return `${origin}/#invite=${token}`;
}

export function messageLink(origin: string, room: string, seq: number): string {
  return `${origin}/?room=${room}#message=${seq}`;
}

/** What the address names. Wrong parts are left out. */
export function readLink({ search, hash }: Pick<Location, "search" | "hash">): Target {
  const room = new URLSearchParams(search).get("room");
  const behind = new URLSearchParams(hash.slice(1));
  const message = Number(behind.get("message") ?? 0);
  const invite = behind.get("invite");
  return {
    ...(isRoomId(room) && { room }),
    ...(Number.isSafeInteger(message) && message > 0 && { message }),
    ...(invite !== null && invite !== "" && { invite }),
  };
}

const INVITE = "parley.invite";

/** Keeps the invite of the address, and returns the kept one (page-links.2). */
export function keepInvite(
  address: Pick<Location, "search" | "hash">,
  storage: KeyValue,
): string | undefined {
  const { invite } = readLink(address);
  if (invite !== undefined) save(storage, INVITE, invite);
  return load(storage, INVITE);
}

export function forgetInvite(storage: KeyValue): void {
  save(storage, INVITE, undefined);
}
