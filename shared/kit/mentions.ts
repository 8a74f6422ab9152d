// Mentions: whom the messages of a batch mention, as the archive keeps it beside the events.
//
//   mentions.1. A mention is stored with its message in the transaction of the batch. A message
//        that this version cannot read mentions no user. The line itself is archived like any
//        other.
//   mentions.2. A message by which its sender mentions itself by name is no mention of it: own
//        messages are never unread. One that an older version stored counts until it is read.
//   mentions.3. An edit with mentions replaces those of its message; one without, or whose mentions
//        this version cannot read, leaves them. Only the author edits, so the sender of the edit is
//        that of the message.

import type { ArchiveEvent } from "../ports/archive.ts";
import { isMentions, readEvent } from "../protocol/events.ts";
import type { EditedEvent, Mentions } from "../protocol/events.ts";
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

/** An edit, or several of a batch, replaced whom a message mentions. */
export interface MentionsChange {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly sender: UserId;
  /** Of an earlier edit; undefined: those of the message itself. */
  readonly before: Mentions | undefined;
  readonly now: Mentions;
}

/** Undefined when no message of the batch mentions a user. */
export function mentionsIn(events: readonly ArchiveEvent[]): Mention[] | undefined {
  let found: Mention[] | undefined;
  for (const { kind, room, seq, sender, line } of events) {
    // Only a message with mentions has the key; a body can have it, too, and is then read in vain.
    if (kind !== "msg" || !line.includes('"mentions":')) continue;
    const event = readEvent(line);
    const mentions = event?.t === "msg" ? event.mentions : undefined;
    for (const user of mentionedBy(mentions, sender)) (found ??= []).push({ room, seq, user });
  }
  return found;
}

/** Whom an edit makes its message mention; undefined: the mentions stay (mentions.3). */
export function mentionsOfEdit({ mentions }: EditedEvent): Mentions | undefined {
  return isMentions(mentions) ? mentions : undefined;
}

/** Undefined unless the text is that of mentions. */
export function mentionsOfText(text: string | null): Mentions | undefined {
  if (text === null) return undefined;
  try {
    const mentions: unknown = JSON.parse(text);
    return isMentions(mentions) ? mentions : undefined;
  } catch {
    return undefined;
  }
}

/** Whom the line of a message mentions. */
export function mentionsOfLine(line: string): Mentions | undefined {
  const event = readEvent(line);
  return event?.t === "msg" && isMentions(event.mentions) ? event.mentions : undefined;
}

/** The users that the archive keeps (mentions.2). */
export function mentionedBy(mentions: unknown, sender: UserId): UserId[] {
  return [...usersOf(mentions)].filter((user) => user !== sender);
}

function usersOf(mentions: unknown): Iterable<UserId> {
  if (mentions === "@room") return [EVERYONE];
  if (!Array.isArray(mentions) || mentions.length > MENTIONS_MAX) return [];
  return new Set(mentions.filter(isUserId));
}
