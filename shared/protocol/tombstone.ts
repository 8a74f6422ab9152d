// Tombstone: a line of a deleted message without its text.
//
// Owns: which lines a deletion erases, and the bytes that replace them. Does not own: where the
// lines are (the owner, gateways, the archive).
//
//   tombstone.1. A tombstone keeps the kind, the place, the id, the sender, the time, and the
//        numbers that the line names. It has an empty body, no mentions and attachments, and
//        `deleted`: who, when, and the number of the deletion. So a client that knows no
//        tombstones shows an empty message.
//   tombstone.2. Every process makes the same bytes of the same line and deletion. A tombstone of a
//        tombstone is the same tombstone.
//   tombstone.3. A deletion erases the line of its target, and every `edited` line of the target.

import { parseObject } from "../kit/json.ts";
import { encodeEvent } from "./events.ts";
import type { DeletedEvent, Deletion, RoomEvent } from "./events.ts";
import type { Seq } from "./ids.ts";

/** The deletion that an event is. */
export function deletionOf({ from: by, at, seq }: DeletedEvent): Deletion {
  return { by, at, seq };
}

/** The line without its text. Undefined for a line that holds no text to erase (tombstone.2). */
export function tombstoneOf(line: string, deleted: Deletion): string | undefined {
  const event = parseObject(line) as RoomEvent | undefined;
  if (event?.t !== "msg" && event?.t !== "edited") return undefined;
  if (event.deleted !== undefined) return undefined;
  const empty = { body: {}, mentions: undefined, deleted };
  if (event.t === "edited") return encodeEvent({ ...event, ...empty });
  return encodeEvent({ ...event, ...empty, attachments: undefined });
}

/** The message whose deletion erases this line: the message itself, or the one that it edits. */
export function erasedWith(event: RoomEvent): Seq | undefined {
  if (event.t === "msg") return event.seq;
  return event.t === "edited" ? event.target : undefined;
}

/** Whether the two lines are one event, of which one or both are erased. */
export function isSameEvent(one: string, other: string): boolean {
  return one === other || isTombstoneOf(one, other) || isTombstoneOf(other, one);
}

/** Whether the text is the tombstone of the line. */
export function isTombstoneOf(text: string, line: string): boolean {
  const deleted = parseObject(text)?.["deleted"];
  if (typeof deleted !== "object" || deleted === null) return false;
  return tombstoneOf(line, deleted as Deletion) === text;
}
