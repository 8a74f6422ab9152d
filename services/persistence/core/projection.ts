// Projection: converts one log entry into archive rows.
//
// Owns: decoding an entry's lines into rows. Does not own: when they are written, and how the store
// treats them.
//
//   projection.1. Every line of a readable entry in force becomes either an event or an unread
//        text.
//   projection.2. A row's keys are the keys in its line, and they agree with the entry's header.
//   projection.3. An entry that cannot be decoded is kept whole: its lines that name their event as
//        unread texts with a place, so that their sequence numbers stay taken, and the rest as one
//        text.
//   projection.4. A void commit (P15) becomes nothing: it was never acknowledged or shown.
//   projection.5. Never throws, for any text.

import { parseObject } from "#shared/kit/json.ts";
import type { ArchiveEvent, UnreadText } from "#shared/ports/archive.ts";
import { decodeEntry, epochAfter, isVoid } from "#shared/protocol/entry.ts";
import { isMessageId, isRoomId, isStorable, isUserId } from "#shared/protocol/ids.ts";
import type { Epoch, LogSeq, RoomId, Seq } from "#shared/protocol/ids.ts";

export interface ProjectedEntry {
  readonly seq: LogSeq;
  /** The epoch in force behind this entry. */
  readonly epoch: Epoch;
  readonly isVoid: boolean;
  /** It ends the tenure in force, and no entry of that tenure can follow. */
  readonly isRelease: boolean;
  readonly events: readonly ArchiveEvent[];
  readonly unread: readonly UnreadText[];
  /** The `of` of a split in force. It is a release, too. */
  readonly split?: number;
  /** Its lines are not known here (N8). Nothing of it may be archived. */
  readonly isNewer?: true;
  /** Trace contexts of its traced messages. */
  readonly traces?: readonly string[] | undefined;
}

/** `before` is the epoch in force before the entry. */
export function projectEntry(seq: LogSeq, text: string, before: Epoch): ProjectedEntry {
  const entry = decodeEntry(text);
  if (entry.kind === "unreadable") {
    const kept = keepWhole(seq, text, before, entry.reason);
    return entry.isNewer === true ? { ...kept, isNewer: true } : kept;
  }
  const epoch = epochAfter(before, seq, entry);
  const events: ArchiveEvent[] = [];
  const unread: UnreadText[] = [];
  const ends = entry.kind === "release" || entry.kind === "split";
  const isRelease = ends && entry.epoch === before;
  const isNothing = isVoid(before, entry); // projection.4
  if (entry.kind !== "commit" || isNothing) {
    const split = entry.kind === "split" && isRelease && { split: entry.of };
    return { seq, epoch, isVoid: isNothing, isRelease, events, unread, ...split };
  }
  for (const { room, first, lines } of entry.groups) {
    for (const [index, line] of lines.entries()) {
      const place = { room, seq: first + index };
      const event = readLine(room, place.seq, line);
      if (typeof event !== "string") events.push(event);
      else unread.push({ entry: seq, place, text: line, reason: event });
    }
  }
  return { seq, epoch, isVoid: false, isRelease, events, unread, traces: entry.traces };
}

/** The event in `line`, or the reason why it cannot be stored. */
function readLine(room: RoomId, seq: Seq, line: string): ArchiveEvent | string {
  const value = parseObject(line);
  if (value === undefined) return "the line is not a JSON object";
  const { t: kind, id, from: sender, at } = value;
  if (value["room"] !== room || value["seq"] !== seq)
    return "the line names another room or sequence number";
  if (typeof kind !== "string" || !isStorable(kind)) return "the line has no kind";
  if (!isMessageId(id)) return "the id is not a UUIDv7";
  if (!isUserId(sender)) return "the sender is not a user id";
  if (!Number.isSafeInteger(at)) return "the time is not a whole number";
  if (!isStorable(line)) return "the line holds text that cannot be stored";
  return { room, seq, kind, id, sender, at: at as number, line };
}

/** Keeps an entry that cannot be decoded, with the `reason` (projection.3). */
export function keepWhole(seq: LogSeq, text: string, epoch: Epoch, reason: string): ProjectedEntry {
  const unread: UnreadText[] = [];
  const rest: string[] = [];
  for (const line of text.split("\n")) {
    const value = parseObject(line);
    const room = value?.["room"];
    const number = value?.["seq"];
    if (isRoomId(room) && isSeq(number)) {
      unread.push({ entry: seq, place: { room, seq: number }, text: line, reason });
    } else rest.push(line);
  }
  if (rest.length > 0) unread.unshift({ entry: seq, text: rest.join("\n"), reason });
  return { seq, epoch, isVoid: false, isRelease: false, events: [], unread };
}

function isSeq(value: unknown): value is Seq {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
