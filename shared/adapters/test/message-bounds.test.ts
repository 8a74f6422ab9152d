// Bounds: the largest message of every kind stays below the bus's maximum payload.

import { expect } from "chai";
import * as fc from "fast-check";
import { MemoryArchive } from "../archive-memory.ts";
import { SNAPSHOT_AHEAD_IDS_MAX, SNAPSHOT_IDS_MAX } from "../../ports/archive.ts";
import type { ArchiveEvent } from "../../ports/archive.ts";
import { isTooLarge } from "../../ports/bus.ts";
import type { ResultWithLines } from "../../protocol/results.ts";
import { CONTROL_ROOMS_MAX } from "../../protocol/control.ts";
import { encodeEntry } from "../../protocol/entry.ts";
import { encodeEvent } from "../../protocol/events.ts";
import { encodeReply } from "../../protocol/history.ts";
import { utf8Length } from "../../protocol/ids.ts";
import type { MessageId, RoomId, UserId } from "../../protocol/ids.ts";
import { ENTRY_BYTES_MAX, PRESENCE_NAMES_MAX, RANGE_BYTES_MAX } from "../../protocol/limits.ts";
import { RESULT_BATCH_BYTES_MAX, SYNC_ROOMS_MAX } from "../../protocol/limits.ts";
import { encodeOut } from "../../protocol/lines.ts";
import { decodeResults, encodeResults } from "../../protocol/results.ts";

const ROOM = "r".repeat(64) as RoomId;
/** 128 bytes that take six each as JSON: the longest name on any wire. */
const NAME = "\u0001".repeat(128) as UserId;
const SEQ = Number.MAX_SAFE_INTEGER;
const BORN = "0199d3c0-0000-7000-8000-000000000001" as MessageId;
const PARTITIONS_MAX = 1_024;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);
const names = Array.from({ length: PRESENCE_NAMES_MAX }, () => NAME);
const each = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

/** The largest single results; a range may exceed its bound by half (recent.ts). */
const LARGEST: readonly ResultWithLines[] = [
  { result: { c: SEQ, ok: "joined", head: SEQ, born: BORN, here: SEQ, users: names } },
  { result: { c: SEQ, ok: "synced", heads: each(SYNC_ROOMS_MAX, () => [ROOM, SEQ, BORN]) } },
  {
    result: { c: SEQ, ok: "range", first: 1, count: 1 },
    lines: ["€".repeat(RANGE_BYTES_MAX / 2)],
  },
];

describe("Bounds of messages", () => {
  it("results.1: results leave in order, in messages within the bound", () => {
    const small = fc.record({
      c: fc.nat(),
      ok: fc.constant("sent" as const),
      seq: fc.nat(),
      at: fc.nat(),
    });
    const range = fc
      .tuple(fc.nat(), fc.integer({ min: 0, max: 3 }), fc.constantFrom("x", "é", "€", "🎉"))
      .map(([c, count, unit]) => ({
        result: { c, ok: "range" as const, first: 1, count },
        lines: each(count, () => unit.repeat(40_000)),
      }));
    const item: fc.Arbitrary<ResultWithLines> = fc.oneof(
      small.map((result) => ({ result })),
      range,
      fc.constantFrom(...LARGEST),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 12 }), (results) => {
        const messages = encodeResults(3, 812, results);
        for (const message of messages) {
          expect(utf8Length(message)).to.be.at.most(RESULT_BATCH_BYTES_MAX);
        }
        const answers = messages.flatMap((message) => {
          const decoded = decodeResults(bytes(message), textOf);
          expect([decoded?.p, decoded?.epoch]).to.deep.equal([3, 812]);
          return decoded?.answers ?? [];
        });
        expect(answers.map(({ result }) => result)).to.deep.equal(
          results.map(({ result }) => result),
        );
        const lines = answers.map(({ block }) => new TextDecoder().decode(block?.bytes));
        expect(lines).to.deep.equal(results.map((one) => (one.lines ?? []).join("\n")));
      }),
      { numRuns: 60 },
    );
  });

  it("results.1: a few results are one message", () => {
    const results = each(300, (c) => ({ result: { c, ok: "sent", seq: c, at: SEQ } as const }));
    expect(encodeResults(3, 812, results)).to.have.length(1);
  });

  it("ports/bus.7: the largest message of every other kind may be published", async () => {
    const lines = each(14, (n) => `${n}${"x".repeat(ENTRY_BYTES_MAX / 14)}`);
    const messages = {
      presence: JSON.stringify({ v: 1, t: "presence", room: ROOM, join: names, here: 200 }),
      out: encodeOut(SEQ, lines),
      beat: JSON.stringify({
        v: 1,
        id: `room-${"a".repeat(32)}`,
        owns: Object.fromEntries(each(PARTITIONS_MAX, (p) => [p, SEQ])),
      }),
      rooms: JSON.stringify({ rooms: each(CONTROL_ROOMS_MAX, () => [ROOM, SEQ, SEQ]) }),
      status: JSON.stringify({
        owns: Object.fromEntries(each(PARTITIONS_MAX, (p) => [p, SEQ])),
        logs: each(PARTITIONS_MAX, (p) => {
          const counts = { lagEntries: SEQ, lagSeconds: SEQ, missing: SEQ, fill: 0.123456789 };
          return { p, isReachable: false, ...counts };
        }),
      }),
      entry: encodeEntry({
        kind: "commit",
        epoch: SEQ,
        node: "room-1" as never,
        at: SEQ,
        groups: [{ room: ROOM, first: SEQ, lines }],
      }),
      snapshot: await largestSnapshot(),
    };
    for (const [kind, message] of Object.entries(messages)) {
      expect(isTooLarge(message), `${kind}: ${message.length}`).to.equal(false);
    }
  });
});

/**
 * The reply for a room with more ids than a snapshot may carry, also from the future, with the
 * longest names.
 */
async function largestSnapshot(): Promise<string> {
  const archive = new MemoryArchive();
  const at = 0x0199d3c0ffff;
  const events = each(SNAPSHOT_IDS_MAX + SNAPSHOT_AHEAD_IDS_MAX + 10, (n): ArchiveEvent => {
    const seq = n + 1;
    const isAhead = n > SNAPSHOT_IDS_MAX + 5;
    const tail = seq.toString(16).padStart(12, "0");
    const id =
      `${isAhead ? "0199d3ff" : "0199d3c0"}-${tail.slice(-4)}-7000-8000-${tail}` as MessageId;
    const from = isAhead ? (`${seq}${NAME.slice(6)}` as UserId) : NAME;
    const event = { t: "msg", room: ROOM, seq, id, from, at, body: {} } as const;
    return { room: ROOM, seq, kind: "msg", id, sender: from, at, line: encodeEvent(event) };
  });
  await archive.write({ p: 0, from: 0, to: 1, epoch: 1, events });
  const read = await archive.snapshot(0, ROOM, 0);
  if (read.kind !== "ok") throw new Error("the memory archive is always there");
  expect(read.value.ids.length).to.be.within(1, SNAPSHOT_IDS_MAX);
  expect(read.value.floors?.length).to.be.within(1, SNAPSHOT_AHEAD_IDS_MAX);
  return encodeReply({ ok: true, op: "snapshot", snapshot: read.value });
}
