// Archive: what the explorer's archive answers, as a function of the log and of its watermark.
//
// It knows everything up to the watermark and keeps every id, so a look-up finds nothing more.

import { decodeEvent } from "#shared/protocol/events.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, RoomId } from "#shared/protocol/ids.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { validLines } from "./invariants.ts";

export function watermarkOf(log: readonly string[], mark: LogSeq): Watermark {
  return { seq: mark, epoch: validLines(log.slice(0, mark)).epoch };
}

export function snapshotOf(room: RoomId, log: readonly string[], mark: LogSeq): RoomSnapshot {
  const { lines } = validLines(log.slice(0, mark));
  const events = lines.map((line) => decodeEvent(line));
  return {
    room,
    watermark: mark,
    head: events.length,
    born: events[0]?.id ?? "",
    floor: 0,
    ids: events.map(({ id, from, seq, at }) => [id, from, seq, at] as const),
    tail: lines,
    lastAt: events.at(-1)?.at ?? 0,
  };
}
