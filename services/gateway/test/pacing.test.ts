import { expect } from "chai";
import * as fc from "fast-check";
import { FLUSH_GAP_MAX_MS, LANES_GAP_MAX_MS, LANES_THIN_GAP_MAX_MS } from "../core/bounds.ts";
import { gapAfter, LanesPace } from "../core/pacing.ts";

describe("Pacing", () => {
  it("L5: the gap is twelve times the cost and at most 70 ms", () => {
    expect([0, 0.5, 4, 6, 1_000].map((cost) => gapAfter(cost))).to.deep.equal([0, 6, 48, 70, 70]);
  });

  it("L5: a room uses at most a thirteenth of one core, until the cap of the gap", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (cost) => {
        const gap = gapAfter(cost);
        expect(gap).to.be.within(0, FLUSH_GAP_MAX_MS);
        if (gap < FLUSH_GAP_MAX_MS && cost > 0) {
          expect(cost / (cost + gap)).to.be.closeTo(1 / 13, 1e-9);
        }
      }),
    );
  });

  it("L5: a clock that went backwards makes no negative gap", () => {
    expect(gapAfter(-5)).to.equal(0);
  });
});

describe("Pacing of lanes", () => {
  it("L11: the first commands leave at once, the next ones a millisecond per lane later", () => {
    const pace = new LanesPace();
    expect(pace.waitMs(1_000)).to.equal(0);
    pace.left({ lanes: 3, commands: 1 }, 1_000);
    expect([1_000, 1_001, 1_003, 2_000].map((now) => pace.waitMs(now))).to.deep.equal([3, 2, 0, 0]);
  });

  /** The final gap with `perSecond` commands, evenly spread over one lane. */
  const settled = (perSecond: number): number => {
    const pace = new LanesPace();
    let gapMs = 0;
    for (let now = 0, i = 0; i < 1_000; i++) {
      pace.left({ lanes: 1, commands: Math.max(1, Math.round((perSecond * gapMs) / 1_000)) }, now);
      gapMs = pace.waitMs(now);
      now += gapMs;
    }
    return gapMs;
  };

  it("L11: at 250 commands a second the gap is at most 2 ms, and at a thousand the bound", () => {
    expect([1, 100, 250].map((perSecond) => settled(perSecond))).to.deep.equal([2, 2, 2]);
    expect([1_000, 40_000].map((perSecond) => settled(perSecond))).to.deep.equal([
      LANES_GAP_MAX_MS,
      LANES_GAP_MAX_MS,
    ]);
  });

  it("L11: many commands over lanes with few each wait longer, so that an entry is worth its fsync", () => {
    const waitAfter = (lanes: number, commands: number): number => {
      const pace = new LanesPace();
      pace.left({ lanes, commands }, 0);
      return pace.waitMs(0);
    };
    expect(waitAfter(16, 30)).to.equal(LANES_THIN_GAP_MAX_MS);
    expect(waitAfter(16, 64)).to.equal(LANES_GAP_MAX_MS);
    expect(waitAfter(4, 30)).to.equal(LANES_GAP_MAX_MS);
    expect(waitAfter(1, 1_000)).to.equal(LANES_GAP_MAX_MS);
    expect(waitAfter(16, 23)).to.equal(LANES_GAP_MAX_MS); // At 1,500 a second there is time.
    expect(waitAfter(16, 24)).to.equal(LANES_THIN_GAP_MAX_MS);
    expect(waitAfter(7, 28)).to.equal(LANES_GAP_MAX_MS);
    expect(waitAfter(7, 27)).to.equal(LANES_THIN_GAP_MAX_MS);
  });

  it("L11: with any number of lanes, commands wait at most LANES_GAP_MAX_MS", () => {
    const pace = new LanesPace();
    pace.left({ lanes: 1_024, commands: 0 }, 0);
    expect(pace.waitMs(0)).to.equal(LANES_GAP_MAX_MS);
  });
});
