import { expect } from "chai";
import * as fc from "fast-check";
import type { Seq } from "#shared/protocol/ids.ts";
import { Ring } from "../core/ring.ts";
import { blockOf } from "./feed-bench.ts";

function numbers(ring: Ring, from: Seq, to: Seq, bytesMax = 1e9): number[] {
  return ring
    .read(from, to, bytesMax)
    .flatMap(({ bytes }) => Buffer.from(bytes).toString().split("\n"))
    .map(Number);
}

describe("Ring", () => {
  it("O11: what it gives is exactly the run asked for, or nothing; never a hole", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60, size: "max" }),
        fc.nat(400),
        fc.nat(400),
        (counts, from, length) => {
          const ring = new Ring(200);
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
          expect(ring.bytes).to.be.at.most(Math.max(200, 9 * 4));
        },
      ),
    );
  });

  it("O11: a read is cut at about the bytes asked for, with one block at least", () => {
    const ring = new Ring(10_000);
    for (let seq = 1; seq <= 10; seq++) ring.push(blockOf(seq, seq, 100));
    expect(numbers(ring, 1, 10, 250)).to.deep.equal([1, 2]);
    expect(numbers(ring, 1, 10, 1)).to.deep.equal([1]);
  });

  it("O11: older lines fit in front as long as there is room", () => {
    const ring = new Ring(1_000);
    ring.push(blockOf(50, 50, 100));
    expect(ring.prepend(blockOf(40, 48, 10))).to.equal(false);
    expect(ring.prepend(blockOf(40, 49, 10))).to.equal(true);
    expect(ring.prepend(blockOf(1, 39, 100))).to.equal(false);
    expect(numbers(ring, 45, 50)).to.deep.equal([45, 46, 47, 48, 49, 50]);
  });

  it("O11: forgetting removes whole blocks up to a number", () => {
    const ring = new Ring(1_000);
    ring.push(blockOf(1, 5));
    ring.push(blockOf(6, 9));
    ring.forget(7);
    expect(ring.first).to.equal(6);
    ring.forget(9);
    expect([ring.first, ring.bytes]).to.deep.equal([undefined, 0]);
    ring.push(blockOf(42, 43));
    expect(numbers(ring, 42, 43)).to.deep.equal([42, 43]);
  });
});
