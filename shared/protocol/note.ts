// Note: both halves of a hint to all sessions of a user, on `note.<user>`. It can be lost; the
// truth is the room list.
//
//   note.1. A decoded note names a room, an event of it, and a reason that this version knows.

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
}

export function encodeNote({ room, seq, why }: Note): string {
  return JSON.stringify({ v: 1, room, seq, why });
}

/** Undefined unless the text is a whole note of version 1. */
export function decodeNote(text: string): Note | undefined {
  const value = parseObject(text);
  const { v, room, seq, why } = value ?? {};
  if (v !== 1 || !isRoomId(room) || !isCount(seq)) return undefined;
  const isKnown = NOTE_REASONS.includes(why as NoteReason);
  return isKnown ? { room, seq, why: why as NoteReason } : undefined;
}
