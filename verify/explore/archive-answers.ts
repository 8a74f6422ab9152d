// Archive answers: the answers of the explorer's archive, computed from the log and the watermark.
//
// The archive has everything up to the watermark and keeps every message id. A look-up therefore
// finds nothing that a snapshot does not contain.

import { decodeEvent } from "#shared/protocol/events.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, RoomId } from "#shared/protocol/ids.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { validLines } from "./invariants.ts";

export function watermarkOf(log: readonly string[], watermark: LogSeq): Watermark {
  return { seq: watermark, epoch: validLines(log.slice(0, watermark)).epoch };
}

export function snapshotOf(room: RoomId, log: readonly string[], watermark: LogSeq): RoomSnapshot {
  const { lines } = validLines(log.slice(0, watermark));
  const events = lines.map((line) => decodeEvent(line));
  return {
    room,
    watermark,
    head: events.length,
    born: events[0]?.id ?? "",
    floor: 0,
    ids: events.map(({ id, from, seq, at }) => [id, from, seq, at] as const),
    tail: lines,
    lastAt: events.at(-1)?.at ?? 0,
  };
}
