// Pauses: how long the messages of each room waited while something happened.
//
//   pauses.1. A wait is the time from the first send of a message to its acknowledgement. A client
//        that sends an acknowledged message again, as the load does on purpose, begins a new wait.

import { decodeRecord } from "../checker/record.ts";
import type { HistoryRecord } from "../checker/record.ts";

interface Span {
  readonly from: number;
  readonly to: number;
}

/** A message counts when it was sent at most this long after the end. */
const TAIL_MS = 2_000;

/** For each span: the longest wait of a message of each room, in ms. */
export function pausesOf<S extends Span>(
  records: Iterable<HistoryRecord | undefined>,
  spans: readonly S[],
): Map<S, number[]> {
  const sent = new Map<string, number>();
  const longest = new Map(spans.map((one) => [one, new Map<string, number>()]));
  for (const record of records) {
    if (record?.op !== "send") continue;
    if (record.phase === "invoke" && !sent.has(record.id)) sent.set(record.id, record.t);
    const at = sent.get(record.id);
    if (record.phase !== "ok" || at === undefined) continue;
    sent.delete(record.id); // pauses.1
    for (const [{ from, to }, rooms] of longest) {
      if (record.t < from || at > to + TAIL_MS) continue;
      rooms.set(record.room, Math.max(rooms.get(record.room) ?? 0, record.t - at));
    }
  }
  return new Map([...longest].map(([one, rooms]) => [one, [...rooms.values()]]));
}

/** The records of a file, one after the other. */
export function* recordsIn(text: string): Generator<HistoryRecord | undefined> {
  for (const line of text.split("\n")) yield decodeRecord(line);
}
