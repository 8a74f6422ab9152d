import { expect } from "chai";
import * as fc from "fast-check";
import { FLUSH_GAP_MAX_MS } from "../core/bounds.ts";
import { gapAfter } from "../core/pacing.ts";

describe("Pacing", () => {
  it("L4: the gap is four times the cost and at most 50 ms", () => {
    expect([0, 0.1, 5, 12.5, 13, 1_000].map(gapAfter)).to.deep.equal([0, 0.4, 20, 50, 50, 50]);
  });

  it("L4: a room is never paced for more than a fifth of one core, until the cap", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (cost) => {
        const gap = gapAfter(cost);
        expect(gap).to.be.within(0, FLUSH_GAP_MAX_MS);
        if (gap < FLUSH_GAP_MAX_MS && cost > 0) {
          expect(cost / (cost + gap)).to.be.closeTo(0.2, 1e-9);
        }
      }),
    );
  });

  it("L4: a clock that went backwards makes no negative gap", () => {
    expect(gapAfter(-5)).to.equal(0);
  });
});
