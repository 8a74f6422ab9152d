import { expect } from "chai";
import * as fc from "fast-check";
import type { Seq } from "#shared/protocol/ids.ts";
import { blockAbove, blockCost, decodeOut } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { decodeResults } from "#shared/protocol/results.ts";
import { ReorderBuffer } from "../core/reorder-buffer.ts";
import { Ring } from "../core/ring.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { blockOf } from "./feed-bench.ts";

function numbers(ring: Ring, from: Seq, to: Seq, bytesMax = 1e9): number[] {
  return ring
    .read(from, to, bytesMax)
    .flatMap(({ bytes }) => Buffer.from(bytes).toString().split("\n"))
    .map(Number);
}

/** A block as the bus delivers it: a view of a chunk of its socket. */
function view(first: Seq, last: Seq): Block {
  const chunk = Buffer.alloc(65_536);
  const { bytes } = blockOf(first, last);
  chunk.set(bytes, 1_000);
  return { first, count: last - first + 1, bytes: chunk.subarray(1_000, 1_000 + bytes.length) };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Lines 11 to 40 in the three forms of arrival: from an owner, in an answer, cut from a block. */
function views(): Block[] {
  const broadcast = decodeOut(payload("11 10\n", 11, 20));
  const header = { v: 1, p: 0, epoch: 1, results: [{ c: 1, ok: "range", first: 21, count: 10 }] };
  const answer = decodeResults(payload(`${JSON.stringify(header)}\n`, 21, 30), textOf)?.answers[0]
    ?.block;
  const part = blockAbove(view(25, 40), 30);
  return [broadcast, answer, part].filter((block) => block !== undefined);
}

function payload(header: string, first: Seq, last: Seq): Uint8Array {
  const text = header + Buffer.from(blockOf(first, last).bytes).toString();
  const chunk = Buffer.alloc(65_536);
  const length = chunk.write(text, 500);
  return chunk.subarray(500, 500 + length);
}

function ownBytes({ bytes }: Block): number {
  return bytes.buffer.byteLength;
}

describe("Ring", () => {
  it("O11: a read returns exactly the requested run, or nothing, and never a gap", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60, size: "max" }),
        fc.nat(400),
        fc.nat(400),
        (counts, from, length) => {
          const ring = new Ring(2_200);
          let next = 1;
          for (const count of counts) {
            ring.push(blockOf(next, next + count - 1));
            next += count;
          }
          const to = from + length;
          const { first, last } = ring;
          const run = numbers(ring, from, to);
          if (first === undefined || last === undefined || from < first || from > last) {
            expect(run).to.deep.equal([]);
          } else {
            const end = Math.min(to, last);
            expect(run).to.deep.equal(Array.from({ length: end - from + 1 }, (_, i) => from + i));
          }
          expect(ring.bytes).to.be.at.most(2_200);
        },
      ),
    );
  });

  it("ring.3: its blocks own their memory, whatever their source, and count it", () => {
    const ring = new Ring(1_000_000);
    for (const block of views()) ring.push(block);
    ring.prepend(view(1, 10));
    const blocks = ring.read(1, 100, 1e9);
    expect(blocks).to.have.length(4);
    expect(blocks.map(ownBytes)).to.deep.equal(blocks.map(({ bytes }) => bytes.byteLength));
    const held = blocks.reduce((sum, { bytes }) => sum + bytes.buffer.byteLength, 0);
    expect(ring.bytes).to.be.at.least(held + 4 * 400);
    expect(numbers(ring, 9, 12)).to.deep.equal([9, 10, 11, 12]);
  });

  it("reorder-buffer.2: waiting blocks own their memory too", () => {
    const held = new ReorderBuffer();
    for (const block of views()) held.hold(block);
    const taken = [held.takeUpTo(11), held.takeUpTo(21), held.takeUpTo(31)];
    expect(taken.map((block) => block && ownBytes(block))).to.deep.equal(
      taken.map((block) => block?.bytes.byteLength),
    );
    expect(held.bytes).to.equal(0);
  });

  it("reorder-buffer.1: all buffers of a process share a bound and release their part", () => {
    let counted = 0;
    const total = new SharedBound(10_000, (bytes) => (counted += bytes));
    const helds = Array.from({ length: 100 }, () => new ReorderBuffer(total));
    for (const held of helds) held.hold(blockOf(5, 9, 100));
    const holding = helds.filter(({ first }) => first !== undefined);
    expect(holding.length).to.be.within(5, 20);
    expect(total.bytes).to.be.at.most(10_000 + 2_000);
    expect(counted).to.equal(total.bytes);
    holding[0]?.takeUpTo(9);
    for (const held of helds) held.clear();
    expect([total.bytes, counted]).to.deep.equal([0, 0]);
  });

  it("O11: a read is cut at about the requested bytes, with at least one block", () => {
    const ring = new Ring(10_000);
    for (let seq = 1; seq <= 10; seq++) ring.push(blockOf(seq, seq, 100));
    expect(numbers(ring, 1, 10, 250)).to.deep.equal([1, 2]);
    expect(numbers(ring, 1, 10, 1)).to.deep.equal([1]);
  });

  it("O11: older lines are added in front while there is room", () => {
    const ring = new Ring(2_000);
    ring.push(blockOf(50, 50, 100));
    expect(ring.prepend(blockOf(40, 48, 10))).to.equal(false);
    expect(ring.prepend(blockOf(40, 49, 10))).to.equal(true);
    expect(ring.prepend(blockOf(1, 39, 100))).to.equal(false);
    expect(numbers(ring, 45, 50)).to.deep.equal([45, 46, 47, 48, 49, 50]);
  });

  it("O11: forget removes whole blocks up to a number", () => {
    const ring = new Ring(5_000);
    ring.push(blockOf(1, 5));
    ring.push(blockOf(6, 9));
    ring.forget(7);
    expect(ring.first).to.equal(6);
    ring.forget(9);
    expect([ring.first, ring.bytes]).to.deep.equal([undefined, 0]);
    ring.push(blockOf(42, 43));
    expect(numbers(ring, 42, 43)).to.deep.equal([42, 43]);
  });

  it("ring.1: `first` and `last` are its ends, and a block after a gap is a broken invariant", () => {
    const ring = new Ring(1e6);
    expect([ring.first, ring.last]).to.deep.equal([undefined, undefined]);
    ring.push(blockOf(7, 9));
    ring.push(blockOf(10, 12));
    expect([ring.first, ring.last]).to.deep.equal([7, 12]);
    expect(() => ring.push(blockOf(14, 14))).to.throw("no gap");
    expect(() => ring.push(blockOf(12, 13))).to.throw("no gap");
    expect([ring.first, ring.last]).to.deep.equal([7, 12]);
  });

  it("ring.2, ring.3: a rewritten block counts with its own bytes, and its lines stay where they are", () => {
    const ring = new Ring(1e6);
    for (const seq of [1, 2, 3]) ring.push(blockOf(seq, seq, 100));
    const before = ring.bytes;
    ring.rewrite((block) => (block.first === 2 ? blockOf(2, 2, 40) : block));
    expect(before - ring.bytes).to.equal(60);
    ring.rewrite((block) => (block.first === 2 ? blockOf(2, 2, 130) : block));
    expect(ring.bytes - before).to.equal(30);
    expect(numbers(ring, 1, 3)).to.deep.equal([1, 2, 3]);
    ring.forget(3);
    expect(ring.bytes).to.equal(0);
  });

  it("ring.2: blocks may fill it exactly; one byte more drops the oldest, and one large block stays alone", () => {
    const cost = blockCost(blockOf(1, 1, 100));
    const ring = new Ring(3 * cost);
    for (const seq of [1, 2, 3]) ring.push(blockOf(seq, seq, 100));
    expect([ring.first, ring.last, ring.bytes]).to.deep.equal([1, 3, 3 * cost]);
    ring.push(blockOf(4, 4, 101));
    expect([ring.first, ring.last, ring.bytes]).to.deep.equal([3, 4, 2 * cost + 1]);
    ring.push(blockOf(5, 5, 5_000));
    expect([ring.first, ring.last, ring.bytes]).to.deep.equal([5, 5, 512 + 5_000]);
    ring.push(blockOf(6, 6, 100));
    expect([ring.first, ring.last, ring.bytes]).to.deep.equal([6, 6, cost]);
  });

  it("ring.2: older lines may fill it exactly and no further, also after others were dropped", () => {
    const cost = blockCost(blockOf(1, 1, 100));
    const ring = new Ring(3 * cost);
    expect(ring.prepend(blockOf(1, 1, 100)), "it is empty").to.equal(false);
    for (const seq of [5, 6, 7]) ring.push(blockOf(seq, seq, 100));
    ring.forget(6);
    expect(ring.prepend(blockOf(6, 6, 100))).to.equal(true);
    expect(ring.prepend(blockOf(5, 5, 101))).to.equal(false);
    expect(ring.prepend(blockOf(4, 4, 100))).to.equal(false);
    expect(ring.prepend(blockOf(5, 5, 100))).to.equal(true);
    expect([ring.first, ring.last, ring.bytes]).to.deep.equal([5, 7, 3 * cost]);
    expect(numbers(ring, 5, 7)).to.deep.equal([5, 6, 7]);
  });

  it("ring.4: a read below, above and between its ends, and cut at exactly the requested bytes", () => {
    const ring = new Ring(1e6);
    for (const first of [10, 20, 30]) ring.push(blockOf(first, first + 9, 10));
    for (const from of [1, 9, 40, 41]) expect(numbers(ring, from, 50), `${from}`).to.deep.equal([]);
    expect(ring.read(10, 9, 1e6)).to.deep.equal([]);
    const counts = (from: Seq, to: Seq, max: number): number[] =>
      ring.read(from, to, max).map(({ count }) => count);
    expect(counts(15, 32, 1e6)).to.deep.equal([5, 10, 3]);
    const size = blockOf(1, 10, 10).bytes.length;
    expect(counts(10, 39, 2 * size)).to.deep.equal([10, 10]);
    expect(counts(10, 39, 2 * size - 1)).to.deep.equal([10]);
    expect(counts(10, 39, 0)).to.deep.equal([10]);
  });
});
