// Note: both halves of a hint to all sessions of a user, on `note.<user>`. It can be lost; the
// truth is the room list.
//
//   note.1. A decoded note names a room, an event of it, and a reason that this version knows.
//   note.2. A note that only a session with a grant may get is of version 2: a gateway of an older
//        version, which does not check grants, refuses it.

import { isCount, parseObject } from "../kit/json.ts";
import { isRoomId } from "./ids.ts";
import type { RoomId, Seq } from "./ids.ts";

/**
 * `added`, `removed`: the membership of the user began, changed or ended. `mention`, `reply`: a
 * message names the user, or answers one of theirs. `direct`: a message in a direct room.
 */
export const NOTE_REASONS = ["added", "removed", "mention", "direct", "reply"] as const;
export type NoteReason = (typeof NOTE_REASONS)[number];

export interface Note {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly why: NoteReason;
  /** Only sessions whose token grants a role in the room get it. */
  readonly needsGrant?: true;
}

export function encodeNote({ room, seq, why, needsGrant }: Note): string {
  return JSON.stringify({ v: needsGrant === true ? 2 : 1, room, seq, why });
}

/** Undefined unless the text is a whole note of version 1 or 2. */
export function decodeNote(text: string): Note | undefined {
  const value = parseObject(text);
  const { v, room, seq, why } = value ?? {};
  if ((v !== 1 && v !== 2) || !isRoomId(room) || !isCount(seq)) return undefined;
  if (!NOTE_REASONS.includes(why as NoteReason)) return undefined;
  return { room, seq, why: why as NoteReason, ...(v === 2 && { needsGrant: true }) };
}
