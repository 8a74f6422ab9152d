// ReorderBuffer and SharedBound, by example: the blocks behind a gap, their order and their bounds.

import { expect } from "chai";
import type { Seq } from "#shared/protocol/ids.ts";
import { blockCost } from "#shared/protocol/lines.ts";
import { REORDER_BLOCKS_MAX, REORDER_BYTES_MAX, REORDER_TOTAL_BYTES_MAX } from "../core/bounds.ts";
import { ReorderBuffer } from "../core/reorder-buffer.ts";
import { SharedBound } from "../core/shared-bound.ts";
import { blockOf } from "./feed-bench.ts";

/** Removes all blocks and returns their first numbers in the order of removal. */
function drain(held: ReorderBuffer): Seq[] {
  const firsts: Seq[] = [];
  for (let block = held.takeUpTo(Infinity); block; block = held.takeUpTo(Infinity)) {
    firsts.push(block.first);
  }
  return firsts;
}

const one = (seq: Seq, size = 1) => blockOf(seq, seq, size);

describe("ReorderBuffer", () => {
  it("O9: blocks wait in the order of their numbers, and equal numbers in the order of arrival", () => {
    const held = new ReorderBuffer();
    for (const seq of [5, 9, 7, 3, 8]) held.hold(one(seq));
    held.hold(blockOf(7, 12));
    expect(held.first).to.equal(3);
    expect(held.takeUpTo(2)).to.equal(undefined);
    expect(held.takeUpTo(3)?.first).to.equal(3);
    expect(held.takeUpTo(4)).to.equal(undefined);
    expect(held.takeUpTo(8)?.first).to.equal(5);
    expect([held.takeUpTo(7)?.count, held.takeUpTo(7)?.count]).to.deep.equal([1, 6]);
    expect(drain(held)).to.deep.equal([8, 9]);
    expect([held.first, held.bytes]).to.deep.equal([undefined, 0]);
  });

  it("reorder-buffer.1: exactly REORDER_BLOCKS_MAX blocks wait; one more drops the newest numbers", () => {
    const held = new ReorderBuffer();
    for (let seq = 1; seq <= REORDER_BLOCKS_MAX; seq++) held.hold(one(2 * seq));
    held.hold(one(2 * REORDER_BLOCKS_MAX + 2));
    held.hold(one(3));
    const firsts = drain(held);
    expect(firsts).to.have.length(REORDER_BLOCKS_MAX);
    expect(firsts.slice(0, 3)).to.deep.equal([2, 3, 4]);
    expect(firsts.at(-1)).to.equal(2 * REORDER_BLOCKS_MAX - 2);
  });

  it("reorder-buffer.1: exactly REORDER_BYTES_MAX bytes wait; one more drops the newest numbers", () => {
    const held = new ReorderBuffer();
    const quarter = REORDER_BYTES_MAX / 4 - blockCost(one(1, 0)) + one(1, 0).bytes.length;
    for (const seq of [1, 2, 3]) held.hold(one(seq, quarter));
    held.hold(one(4, quarter));
    expect([held.bytes, held.first]).to.deep.equal([REORDER_BYTES_MAX, 1]);
    held.hold(one(5, 1));
    expect(held.bytes).to.equal(REORDER_BYTES_MAX);
    held.hold(one(0, 1));
    expect(held.bytes).to.equal((REORDER_BYTES_MAX / 4) * 3 + blockCost(one(0, 1)));
    expect(drain(held)).to.deep.equal([0, 1, 2, 3]);
  });

  it("reorder-buffer.1: a full process keeps no more blocks, and a feed that ends releases all of its own", () => {
    const total = new SharedBound(1_000);
    const [own, others] = [new ReorderBuffer(total), new ReorderBuffer(total)];
    own.hold(one(5));
    expect([total.bytes, total.isFull]).to.deep.equal([blockCost(one(5)), false]);
    others.hold(one(7));
    expect([others.first, total.bytes]).to.deep.equal([undefined, own.bytes]);
    own.hold(one(3, 500));
    expect([own.first, total.bytes], "the newest was dropped").to.deep.equal([undefined, 0]);
    total.add(1_000);
    own.hold(one(5));
    expect([own.first, total.bytes], "the other buffers fill the bound").to.deep.equal([
      undefined,
      1_000,
    ]);
    total.add(-1_000);
    own.hold(one(5));
    own.clear();
    expect([own.first, own.bytes, total.bytes]).to.deep.equal([undefined, 0, 0]);
    own.hold(one(6));
    expect(drain(own)).to.deep.equal([6]);
  });

  it("shared-bound.1: a bound is full from exactly its bytes on, and releasing too much is a broken invariant", () => {
    expect(REORDER_TOTAL_BYTES_MAX).to.be.greaterThan(REORDER_BYTES_MAX);
    const changes: number[] = [];
    const bound = new SharedBound(100, (bytes) => changes.push(bytes));
    bound.add(99);
    expect(bound.isFull).to.equal(false);
    bound.add(1);
    expect([bound.isFull, bound.bytes]).to.deep.equal([true, 100]);
    bound.add(-100);
    expect([bound.isFull, bound.bytes, changes]).to.deep.equal([false, 0, [99, 1, -100]]);
    expect(() => bound.add(-1)).to.throw("a holder subtracts");
  });
});
