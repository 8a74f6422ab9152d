// Partition map: every room has one partition, whatever a process has learned about splits.

import { expect } from "chai";
import * as fc from "fast-check";
import { partitionOf } from "../ids.ts";
import type { RoomId } from "../ids.ts";
import {
  firstLogSeq,
  initialOf,
  isDoubling,
  isRoomOf,
  PartitionMap,
  PARTITIONS_MAX,
} from "../partition-map.ts";

const ROOMS = Array.from({ length: 500 }, (_, n) => `room-${n}` as RoomId);

/** A split of a partition that exists: [partition, its new `of`]. */
function splitSome(first: number, choices: readonly number[]): [number, number][] {
  const of = new Map(Array.from({ length: first }, (_, p) => [p, first]));
  const splits: [number, number][] = [];
  for (const choice of choices) {
    const ps = [...of.keys()];
    const p = ps[choice % ps.length] ?? 0;
    const own = of.get(p) ?? first;
    of.set(p, own * 2);
    of.set(p + own, own * 2);
    splits.push([p, own * 2]);
  }
  return splits;
}

const someSplits = fc.record({
  first: fc.integer({ min: 1, max: 5 }),
  choices: fc.array(fc.nat(1_000), { maxLength: 12 }),
});

describe("PartitionMap", () => {
  it("N3: without splits a room is in partition fnv1a32(room) mod P", () => {
    const map = new PartitionMap(7);
    for (const room of ROOMS) expect(map.partitionOf(room)).to.equal(partitionOf(room, 7));
  });

  it("partition-map.3: counts the partitions that exist, in whatever order it learns of them", () => {
    const map = new PartitionMap(3);
    expect([map.count, map.partitions]).to.deep.equal([3, 3]);
    map.learn(1, 6);
    expect([map.count, map.partitions]).to.deep.equal([4, 6]);
    map.learn(7); // 1 of 12 began it; 1 of 6 had begun 4.
    expect([map.count, map.partitions]).to.deep.equal([5, 12]);
    map.learn(4);
    map.learn(1, 6);
    expect(map.count).to.equal(5);
  });

  it("P28: a split keeps each room or moves it to the upper half", () => {
    const map = new PartitionMap(4);
    expect(map.learn(1, 8)).to.deep.equal([1]);
    for (const room of ROOMS) {
      const before = partitionOf(room, 4);
      const expected = before === 1 ? partitionOf(room, 8) : before;
      expect(map.partitionOf(room)).to.equal(expected);
    }
    expect(map.partitions).to.equal(8);
  });

  it("partition-map.1: the partition of a room is the only one that serves it, after any splits", () => {
    fc.assert(
      fc.property(someSplits, ({ first, choices }) => {
        const map = new PartitionMap(first);
        const begun = new Set(Array.from({ length: first }, (_, p) => p));
        for (const [p, of] of splitSome(first, choices)) {
          if (of > PARTITIONS_MAX) return;
          map.learn(p, of);
          begun.add(p + of / 2);
        }
        for (const room of ROOMS.slice(0, 60)) {
          const serving = [...begun].filter((p) => isRoomOf(room, p, map.of(p)));
          expect(serving).to.deep.equal([map.partitionOf(room)]);
        }
      }),
    );
  });

  it("partition-map.2: the order of learning does not matter, and an old fact changes nothing", () => {
    fc.assert(
      fc.property(someSplits, fc.nat(), ({ first, choices }, turn) => {
        const splits = splitSome(first, choices).filter(([, of]) => of <= PARTITIONS_MAX);
        const [one, other] = [new PartitionMap(first), new PartitionMap(first)];
        for (const [p, of] of splits) one.learn(p, of);
        const at = splits.length === 0 ? 0 : turn % splits.length;
        for (const [p, of] of [...splits.slice(at), ...splits.slice(0, at)]) other.learn(p, of);
        for (const [p, of] of splits) expect(other.learn(p, of)).to.deep.equal([]);
        for (const room of ROOMS.slice(0, 60)) {
          expect(other.partitionOf(room)).to.equal(one.partitionOf(room));
        }
      }),
    );
  });

  it("partition-map.3: an upper half implies the splits that began it and its parents", () => {
    const map = new PartitionMap(2);
    expect(map.learn(13)).to.deep.equal([5, 1]); // 1 of 2 → 1 and 5 of 8 at least; 5 of 16 → 13.
    expect([map.of(1), map.of(5), map.of(13)]).to.deep.equal([8, 16, 16]);
    expect(map.learn(13)).to.deep.equal([]);
  });

  it("N5: a partition or a number that doubling cannot reach is not learned", () => {
    const map = new PartitionMap(3);
    for (const [p, of] of [
      [0, 5],
      [0, 9],
      [6, 6],
      [0, 3 * 1_024],
    ] as const) {
      expect(map.learn(p, of), `${p} of ${of}`).to.deep.equal([]);
    }
    expect(isDoubling(PARTITIONS_MAX * 2, 1)).to.equal(false);
    expect(isDoubling(12, 3)).to.equal(true);
    expect(initialOf(5, 3)).to.equal(6);
    expect([firstLogSeq(2, 3), firstLogSeq(3, 3)]).to.deep.equal([1, 2]);
  });
});
