// Mentions: whom the messages of a batch mention, as the archive keeps it beside the events.
//
//   mentions.1. A mention is stored with its message in the transaction of the batch. A message
//        that this version cannot read mentions no user. The line itself is archived like any
//        other.
//   mentions.2. A message by which its sender mentions itself by name is no mention of it: own
//        messages are never unread. One that an older version stored counts until it is read.

import type { ArchiveEvent } from "../ports/archive.ts";
import { readEvent } from "../protocol/events.ts";
import { isUserId } from "../protocol/ids.ts";
import type { RoomId, Seq, UserId } from "../protocol/ids.ts";
import { MENTIONS_MAX } from "../protocol/limits.ts";

/** The user of a mention of everyone in the room. No user id is empty. */
export const EVERYONE = "" as UserId;

export interface Mention {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly user: UserId;
}

/** Undefined when no message of the batch mentions a user. */
export function mentionsIn(events: readonly ArchiveEvent[]): Mention[] | undefined {
  let found: Mention[] | undefined;
  for (const { kind, room, seq, sender, line } of events) {
    // Only a message with mentions has the key; a body can have it, too, and is then read in vain.
    if (kind !== "msg" || !line.includes('"mentions":')) continue;
    const event = readEvent(line);
    const mentions = event?.t === "msg" ? event.mentions : undefined;
    for (const user of usersOf(mentions)) {
      if (user !== sender) (found ??= []).push({ room, seq, user }); // mentions.2
    }
  }
  return found;
}

function usersOf(mentions: unknown): Iterable<UserId> {
  if (mentions === "@room") return [EVERYONE];
  if (!Array.isArray(mentions) || mentions.length > MENTIONS_MAX) return [];
  return new Set(mentions.filter(isUserId));
}
