import { expect } from "chai";
import * as fc from "fast-check";
import type { RoomId } from "#shared/protocol/ids.ts";
import { byLane, placesOf } from "../core/chunk.ts";
import type { Cursor, FeedRow } from "../core/chunk.ts";
import { FAILURES_MAX, PROBE } from "../core/bounds.ts";
import { ReceiverHealth } from "../core/receiver-health.ts";

const START: Cursor = { source: "0", position: 0, skip: 0, ident: "" };

/** Batches that continue each room. */
function feedOf(batches: readonly (readonly (readonly [string, number])[])[]): FeedRow[] {
  const heads = new Map<string, number>();
  return batches.map((batch, n) => {
    const rooms = batch.map(([room]) => room as RoomId);
    const firsts = rooms.map((room) => (heads.get(room) ?? 0) + 1);
    const lasts = batch.map(([room, count]) => {
      heads.set(room, (heads.get(room) ?? 0) + count);
      return heads.get(room) ?? 0;
    });
    return { source: "0", position: (n + 1) * 10, at: n, rooms, firsts, lasts };
  });
}

describe("Chunk", () => {
  it("chunk.1, chunk.2: chunks of any size cover each number once and in order", () => {
    const batch = fc.uniqueArray(
      fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 1, max: 9 })),
      { selector: ([room]) => room, minLength: 1 },
    );
    fc.assert(
      fc.property(
        fc.array(batch, { maxLength: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.subarray(["a", "b", "c"]),
        (batches, most, wanted) => {
          const rows = feedOf(batches);
          const seen = new Map<string, number[]>();
          let cursor = START;
          for (;;) {
            const behind = rows.filter(({ position }) => position > cursor.position);
            if (behind.length === 0) break;
            const { places, move } = placesOf(behind, cursor, most, (room) =>
              wanted.includes(room),
            );
            expect(places.length).to.be.at.most(most);
            expect(move.from).to.equal(cursor);
            for (const { room, seq } of places) seen.set(room, [...(seen.get(room) ?? []), seq]);
            expect(move.to).not.to.deep.equal(cursor);
            cursor = move.to;
          }
          for (const room of ["a", "b", "c"]) {
            const total = batches.flat().reduce((sum, [of, n]) => sum + (of === room ? n : 0), 0);
            const all = Array.from({ length: wanted.includes(room) ? total : 0 }, (_, i) => i + 1);
            expect(seen.get(room) ?? []).to.deep.equal(all);
          }
          expect(cursor.skip).to.equal(0);
        },
      ),
    );
  });

  it("byLane keeps the order of lanes and of their items", () => {
    const items = ["b1", "a1", "b2", "a2"].map((name) => ({ lane: name[0] ?? "", name }));
    expect(byLane(items).map((lane) => lane.map(({ name }) => name))).to.deep.equal([
      ["b1", "b2"],
      ["a1", "a2"],
    ]);
  });
});

describe("ReceiverHealth", () => {
  it("receiver-health.1: down after failures in a row, probed at bounded waits, and up by one success", () => {
    const health = new ReceiverHealth({ next32: () => 0xffff_ffff });
    for (let n = 1; n < FAILURES_MAX; n++) health.onFailure(0);
    expect(health.onSuccess()).to.equal(false);
    for (let n = 0; n < FAILURES_MAX; n++) health.onFailure(0);
    expect(health.isDown).to.equal(true);
    const first = health.waitMs(0);
    for (let n = 0; n < 40; n++) health.onFailure(0);
    expect(health.waitMs(0)).to.be.within(first, PROBE.capMs + 250);
    expect(health.onSuccess()).to.equal(true);
    expect(health.waitMs(0)).to.equal(0);
  });
});
