// Backlogs for the room tests: many lines of many rooms, replayed or committed one at a time.

import { decodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { LogSeq, RoomId } from "#shared/protocol/ids.ts";
import { ADA, commitEntry, idAt, claimEntry, send, T0 } from "./partition-fixture.ts";
import type { PartitionFixture } from "./partition-fixture.ts";

export const MIB = 1024 * 1024;

export function roomId(n: number): RoomId {
  return `room-${n}` as RoomId;
}

/** A line with a text of `size` characters. */
export function line(room: RoomId, seq: number, size: number): string {
  const body = { text: "x".repeat(size) };
  const id = idAt(T0 + seq, seq);
  return encodeEvent({ t: "msg", room, seq, id, from: ADA, at: T0 + seq, body });
}

/** Entry `n` of a backlog: ten lines for each of four rooms, each line with `size` characters. */
export function backlogEntry(n: number, rooms: number, size: number): string {
  const groups = Array.from({ length: 4 }, (_, i) => {
    const index = 4 * n + i;
    const room = roomId(index % rooms);
    const first = 1 + 10 * Math.floor(index / rooms);
    const lines = Array.from({ length: 10 }, (_, k) => line(room, first + k, size));
    return { room, first, lines };
  });
  return commitEntry(1, groups);
}

/** Claims over a backlog of `entries` entries and replays it. Calls `look` after each entry. */
export function replay(
  fixture: PartitionFixture,
  entries: number,
  size: number,
  look: () => void,
): LogSeq {
  const claim = entries + 2;
  fixture.step({ kind: "claim" });
  fixture.last(claim - 1);
  fixture.appended(0, { kind: "ok", seq: claim });
  const value = { seq: 1, epoch: 1 };
  fixture.step({ kind: "watermark-read", tenure: fixture.tenure, outcome: { kind: "ok", value } });
  // Decoded from bytes as in production, so that lines are slices of one string.
  for (let n = 0; n < entries; n++) {
    const bytes = new TextEncoder().encode(backlogEntry(n, 40, size));
    const entry = decodeEntry(new TextDecoder().decode(bytes));
    fixture.step({ kind: "entry", tenure: fixture.tenure, logSeq: n + 2, entry });
    look();
  }
  fixture.entry(claim, claimEntry());
  fixture.lane++;
  return claim;
}

/** Commits a line of `size` characters as append `n` of the tenure. The log stores it as `seq`. */
export function commitOne(
  fixture: PartitionFixture,
  n: number,
  seq: LogSeq,
  room: RoomId,
  size: number,
  id = idAt(fixture.now, 1_000_000 + n),
): void {
  fixture.batch([send({ room, id, body: { text: "x".repeat(size) } })]);
  fixture.flush();
  fixture.appended(n, { kind: "ok", seq });
}
