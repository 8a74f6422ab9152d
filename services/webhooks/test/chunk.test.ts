import { expect } from "chai";
import * as fc from "fast-check";
import type { RoomId } from "#shared/protocol/ids.ts";
import { byLane, placesOf, placesOfAll } from "../core/chunk.ts";
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

  it("chunk.3: behind a split the rows of the new partition wait for the older ones of the old", () => {
    const all = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(all, fc.nat(), fc.integer({ min: 1, max: 20 }), (counts, cut, most) => {
        // One room: its first batches are in partition 0, the later ones in partition 2.
        const rows = feedOf(counts.map((count) => [["a", count] as const]));
        const at = cut % (rows.length + 1);
        const feeds = { 0: rows.slice(0, at), 2: rows.slice(at) };
        const cursors = new Map([START, { ...START, source: "2" }].map((one) => [one.source, one]));
        const seen: number[] = [];
        for (let turn = 0; turn < 500; turn++) {
          const rowsMax = 3;
          const sources = Object.entries(feeds).flatMap(([source, feed]) => {
            const from = cursors.get(source)!;
            const behind = feed.filter(({ position }) => position > from.position);
            return behind.length === 0 ? [] : [{ from, rows: behind.slice(0, rowsMax) }];
          });
          if (sources.length === 0) break;
          const bounds = { most, rowsMax, isSplit: true };
          const { places, moves } = placesOfAll(sources, () => true, bounds);
          expect(moves.length).to.be.above(0);
          seen.push(...places.map(({ seq }) => seq));
          for (const { to } of moves) cursors.set(to.source, to);
        }
        const total = counts.reduce((sum, count) => sum + count, 0);
        expect(seen).to.deep.equal(Array.from({ length: total }, (_, i) => i + 1));
      }),
    );
  });

  it("chunk.3: behind a split a turn begins only rows that are older than each row that it leaves", () => {
    const feed = (source: string, batches: readonly (readonly [number, number])[]): FeedRow[] =>
      feedOf(batches.map(([, count]) => [[source, count] as const])).map((row, n) => ({
        ...row,
        at: batches[n]?.[0] ?? 0,
      }));
    const [old, young] = ["0", "2"].map((source) => ({ ...START, source }));
    const begun = (ofOld: readonly FeedRow[], ofYoung: readonly FeedRow[], most = 99) => {
      const sources = [
        { from: old!, rows: ofOld },
        { from: young!, rows: ofYoung },
      ];
      const bounds = { most, rowsMax: 3, isSplit: true };
      return placesOfAll(sources, () => true, bounds).places.map(
        ({ room, at }) => `${room} at ${at}`,
      );
    };
    const full = feed("a", [
      [1, 1],
      [2, 1],
      [4, 1],
    ]);
    const three = ["a at 1", "a at 2", "a at 4"];
    // Rows of the old partition may follow behind a full list.
    const later = feed("b", [
      [3, 1],
      [4, 1],
    ]);
    expect(begun(full, later)).to.deep.equal([...three, "b at 3"]);
    // None follows behind a list that is not full.
    expect(begun(full.slice(0, 2), later)).to.deep.equal(["a at 1", "a at 2", "b at 3", "b at 4"]);
    // The second row is not at its end.
    const long = feed("a", [
      [1, 1],
      [5, 9],
    ]);
    expect(begun(long, later, 6)).to.deep.equal(["a at 1", "a at 5", "a at 5", "b at 3", "b at 4"]);
    const equal = feed("b", [[5, 1]]);
    expect(begun(long, equal, 6)).to.deep.equal(["a at 1", "a at 5", "a at 5"]);
  });

  it("chunk.2: without a split each partition has its share of the places, and only moved cursors are named", () => {
    const rows = feedOf([[["a", 9]]]);
    const [long, short, empty] = ["0", "1", "2"].map((source) => ({ ...START, source }));
    const sources = [
      { from: long!, rows },
      { from: short!, rows: feedOf([[["b", 2]]]) },
      { from: empty!, rows: [] },
    ];
    const taken = placesOfAll(sources, () => true, { most: 11, rowsMax: 3, isSplit: false });
    expect(taken.places.map(({ room, seq, at }) => `${room} ${seq} ${at}`)).to.deep.equal([
      "a 1 0",
      "a 2 0",
      "a 3 0",
      "b 1 0",
      "b 2 0",
    ]);
    expect(taken.moves).to.deep.equal([
      { from: long, to: { ...long, skip: 3 } },
      { from: short, to: { ...short, position: 10 } },
    ]);
    const one = placesOfAll(sources, () => true, { most: 1, rowsMax: 3, isSplit: false });
    expect(one.places.map(({ room, seq }) => `${room} ${seq}`)).to.deep.equal(["a 1", "b 1"]);
    expect(placesOfAll([], () => true, { most: 1, rowsMax: 3, isSplit: true })).to.deep.equal({
      places: [],
      moves: [],
    });
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

  it("receiver-health.1: each failure of a receiver that is down doubles the longest wait, from that failure on", () => {
    const health = new ReceiverHealth({ next32: () => 0xffff_ffff });
    for (let n = 1; n < FAILURES_MAX; n++) health.onFailure(1_000);
    expect(health.isDown).to.equal(false);
    expect(health.waitMs(1_000)).to.equal(0);
    health.onFailure(2_000);
    expect(health.waitMs(2_000)).to.equal(250 + PROBE.baseMs - 1);
    expect(health.waitMs(2_249)).to.equal(PROBE.baseMs);
    expect(health.waitMs(90_000)).to.equal(0);
    health.onFailure(90_000);
    expect(health.waitMs(90_000)).to.equal(250 + 2 * PROBE.baseMs - 1);
  });

  it("receiver-health.1: a probe waits at least 250 ms, whatever the jitter", () => {
    const health = new ReceiverHealth({ next32: () => 0 });
    for (let n = 0; n < FAILURES_MAX + 3; n++) health.onFailure(0);
    expect(health.waitMs(0)).to.equal(250);
  });
});
