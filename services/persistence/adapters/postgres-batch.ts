// PostgresBatch: an archive batch as the parameters of one statement.

import type { ArchiveBatch, ArchiveEvent } from "#shared/ports/archive.ts";
import { isMessageId } from "#shared/protocol/ids.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { int8Array, textArray, uuidArray } from "./pg-arrays.ts";

/** What a batch adds to one room. */
export interface RoomHead {
  readonly room: RoomId;
  head: Seq;
  lastAt: Millis;
  /** The id of event 1, when it is in the batch. */
  born: string;
}

/** room, seq, kind, id, sender, at, line: each as one array. */
export function eventColumns(events: readonly ArchiveEvent[]): Buffer[] {
  return [
    textArray(events.map((event) => event.room)),
    int8Array(events.map((event) => event.seq)),
    textArray(events.map((event) => event.kind)),
    uuidArray(events.map((event) => event.id)),
    textArray(events.map((event) => event.sender)),
    int8Array(events.map((event) => event.at)),
    textArray(events.map((event) => event.line)),
  ];
}

/** room, born, head, last_at. */
export function headColumns(heads: readonly RoomHead[]): Buffer[] {
  return [
    textArray(heads.map((head) => head.room)),
    textArray(heads.map((head) => head.born)),
    int8Array(heads.map((head) => head.head)),
    int8Array(heads.map((head) => head.lastAt)),
  ];
}

/**
 * A head counts every sequence number in the batch, also of events that cannot be stored
 * (archive.4).
 */
export function headsOf({ events, unread = [] }: ArchiveBatch): RoomHead[] {
  const heads = new Map<RoomId, RoomHead>();
  const note = (room: RoomId, seq: Seq, at: Millis, id: string): void => {
    if (!Number.isSafeInteger(seq)) return;
    let head = heads.get(room);
    if (head === undefined) heads.set(room, (head = { room, head: 0, lastAt: 0, born: "" }));
    head.head = Math.max(head.head, seq);
    if (Number.isSafeInteger(at)) head.lastAt = Math.max(head.lastAt, at);
    if (seq === 1) head.born = id;
  };
  for (const { room, seq, at, id } of events) note(room, seq, at, id);
  for (const { place } of unread) if (place !== undefined) note(place.room, place.seq, 0, "");
  return [...heads.values()];
}

/** Why the binary arrays cannot hold an event; undefined when they can. */
export function encodingProblemOf({ id, seq, at, sender, line }: ArchiveEvent): string | undefined {
  if (!isMessageId(id)) return "the id is not a UUIDv7";
  if (!Number.isSafeInteger(seq) || !Number.isSafeInteger(at))
    return "seq or at is not a whole number";
  // Encoding would replace lone surrogates, and the stored text would differ from the shown text.
  return sender.isWellFormed() && line.isWellFormed() ? undefined : "the text is not well formed";
}
