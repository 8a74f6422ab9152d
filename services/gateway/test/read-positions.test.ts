// ReadPositions: what is kept, what is due, and what happens at the bounds.

import { expect } from "chai";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { READS_BATCH_MAX } from "#shared/protocol/limits.ts";
import type { ReadPosition } from "#shared/protocol/room-list.ts";
import { POSITION_RETRY_CAP_MS, POSITIONS_MAX } from "../core/bounds.ts";
import { ReadPositions } from "../core/read-positions.ts";
import { SharedBound } from "../core/shared-bound.ts";

const ADA = "ada" as UserId;
const BEN = "ben" as UserId;
const A = "a" as RoomId;
const B = "b" as RoomId;

function open({ bytesMax = Infinity, head = 100 }: { bytesMax?: number; head?: Seq } = {}) {
  const total = new SharedBound(bytesMax);
  const positions = new ReadPositions((room) => (room === B ? 1 : 0), total);
  const heads = new Map<RoomId, Seq>();
  const settle = (): object[] => [...positions.settle((room) => heads.get(room) ?? head)];
  /** Settles, and takes what is due. */
  const take = (now = 0): (readonly [number, readonly ReadPosition[]])[] => {
    settle();
    return positions.take(now);
  };
  return { positions, total, heads, settle, take };
}

describe("ReadPositions", () => {
  it("U1: only the newest position of a user and room is kept, and a lower one changes nothing", () => {
    const { positions, settle, take } = open();
    for (const seq of [3, 7, 5]) positions.say(ADA, A, seq);
    positions.say(BEN, A, 2);
    positions.say(ADA, B, 1);
    expect(positions.size).to.equal(3);
    expect(settle()).to.deep.equal([
      [
        A,
        [
          [ADA, 7],
          [BEN, 2],
        ],
      ],
      [B, [[ADA, 1]]],
    ]);
    expect(settle(), "once").to.deep.equal([]);
    expect(take()).to.deep.equal([
      [
        0,
        [
          [A, ADA, 7],
          [A, BEN, 2],
        ],
      ],
      [1, [[B, ADA, 1]]],
    ]);
  });

  it("U1: a position is at most the head, and none without a feed of the room", () => {
    const { positions, heads, take } = open({ head: 4 });
    heads.set(B, 0);
    positions.say(ADA, A, 99);
    positions.say(ADA, B, 1);
    expect(take()).to.deep.equal([[0, [[A, ADA, 4]]]]);
    const unknown = open();
    unknown.positions.say(ADA, A, 3);
    unknown.positions.settle(() => undefined);
    expect([unknown.positions.size, unknown.total.bytes]).to.deep.equal([0, 0]);
  });

  it("U1: a position stays until the archive has it, and a higher one that came meanwhile stays longer", () => {
    const { positions, total, take } = open();
    positions.say(ADA, A, 3);
    positions.say(BEN, A, 3);
    const [[p, batch]] = take() as [readonly [number, readonly ReadPosition[]]];
    expect(take(), "one batch of a partition at a time").to.deep.equal([]);
    positions.say(ADA, A, 5);
    positions.onStored(p, batch);
    positions.onDone(p, true, 0);
    expect(take()).to.deep.equal([[0, [[A, ADA, 5]]]]);
    positions.onStored(0, [[A, ADA, 5]]);
    positions.onDone(0, true, 0);
    expect([take(), positions.size, total.bytes]).to.deep.equal([[], 0, 0]);
  });

  it("U1: a higher position that is settled before the archive has the lower one stays", () => {
    const { positions, settle, take } = open();
    positions.say(ADA, A, 3);
    const [[p, batch]] = take() as [readonly [number, readonly ReadPosition[]]];
    positions.say(ADA, A, 5);
    settle();
    positions.onStored(p, batch);
    positions.onDone(p, true, 0);
    expect(take()).to.deep.equal([[0, [[A, ADA, 5]]]]);
  });

  it("U1: an answer for a position that is gone changes nothing", () => {
    const { positions, take } = open();
    positions.say(ADA, A, 3);
    const [[p, batch]] = take() as [readonly [number, readonly ReadPosition[]]];
    positions.say(ADA, A, 4);
    positions.settle(() => undefined); // The room lost its feed.
    expect(positions.size).to.equal(0);
    positions.onStored(p, batch);
    expect(positions.size).to.equal(0);
  });

  it("U1, read-positions.2: a position is said once, and is not stored before it was said", () => {
    const { positions, settle } = open();
    positions.say(ADA, A, 3);
    expect(positions.take(0)).to.deep.equal([]);
    expect(settle()).to.deep.equal([[A, [[ADA, 3]]]]);
    positions.say(ADA, A, 3);
    expect(settle()).to.deep.equal([]);
    expect(positions.take(0)).to.deep.equal([[0, [[A, ADA, 3]]]]);
  });

  it("U1: a position that the archive cannot judge yet is said again, behind the others", () => {
    const { positions, take } = open();
    positions.say(ADA, A, 3);
    positions.say(BEN, A, 4);
    const [[p, batch]] = take() as [readonly [number, readonly ReadPosition[]]];
    positions.say("eve" as UserId, A, 5);
    positions.onStored(p, batch, [[A, ADA, 3]]);
    positions.onDone(p, true, 0);
    expect(take()).to.deep.equal([
      [
        0,
        [
          [A, "eve", 5],
          [A, ADA, 3],
        ],
      ],
    ]);
  });

  it("U1: after failures the next batch waits longer each time, up to the cap", () => {
    const { positions, take } = open();
    positions.say(ADA, A, 3);
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 8; i++) {
      expect(take(now)).to.have.length(1);
      positions.onDone(0, false, now);
      let wait = 0;
      while (take(now + wait).length === 0) wait += 500;
      positions.onDone(0, true, 0);
      for (let n = 0; n <= i; n++) {
        take(Infinity);
        positions.onDone(0, false, now);
      }
      waits.push(wait);
      now += POSITION_RETRY_CAP_MS * 2;
    }
    expect(waits[0]).to.equal(1_000);
    expect(Math.max(...waits)).to.equal(POSITION_RETRY_CAP_MS);
    expect(waits).to.deep.equal(waits.toSorted((a, b) => a - b));
  });

  it("U1: a batch is bounded, and the rest follows", () => {
    const { positions, take } = open();
    for (let i = 0; i < READS_BATCH_MAX + 3; i++) positions.say(`user-${i}` as UserId, A, 1);
    const [first] = take();
    expect(first?.[1]).to.have.length(READS_BATCH_MAX);
    positions.onStored(0, first![1]);
    positions.onDone(0, true, 0);
    expect(take()[0]?.[1]).to.have.length(3);
  });

  it("U1: the positions of one user are found, also while a batch is in flight", () => {
    const { positions, take } = open();
    positions.say(ADA, A, 3);
    positions.say(ADA, B, 4);
    positions.say(BEN, B, 5);
    take();
    expect(positions.ofUser(ADA)).to.deep.equal([
      [0, [[A, ADA, 3]]],
      [1, [[B, ADA, 4]]],
    ]);
    expect(positions.ofUser("eve" as UserId)).to.deep.equal([]);
  });

  it("U8: beyond the bounds a new position is dropped and counted; a known one still grows", () => {
    const { positions, take } = open({ bytesMax: 390 });
    for (const user of ["u1", "u2", "u3", "u4"]) positions.say(user as UserId, A, 1);
    expect([positions.size, positions.dropped]).to.deep.equal([2, 2]);
    positions.say("u1" as UserId, A, 9);
    expect(take()[0]?.[1][0]).to.deep.equal([A, "u1", 9]);
    const many = open();
    for (let i = 0; i < POSITIONS_MAX + 5; i++) many.positions.say(`user-${i}` as UserId, A, 1);
    expect([many.positions.size, many.positions.dropped]).to.deep.equal([POSITIONS_MAX, 5]);
  });
});
