// When the log is trimmed, and how far at most.

import { expect } from "chai";
import * as fc from "fast-check";
import { Trimmer } from "../core/trim.ts";

describe("Trimmer", () => {
  it("D5: it stays behind the watermark, keeps the tail, and never takes the whole log", () => {
    const step = fc.record({ grow: fc.nat(50), waitMs: fc.nat(2_000) });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 20 }), (steps, keepEntries) => {
        const trimmer = new Trimmer({ keepEntries, everyMs: 1_000 });
        let watermark = 0;
        let now = 0;
        let last = 0;
        for (const { grow, waitMs } of steps) {
          watermark += grow;
          now += waitMs;
          const upTo = trimmer.decide(watermark, now);
          if (upTo === undefined) continue;
          expect(upTo).to.be.at.least(2);
          expect(upTo).to.be.at.most(watermark - keepEntries);
          expect(upTo).to.be.greaterThan(last);
          last = upTo;
        }
      }),
    );
  });

  it("D5: a watermark that is no whole number trims nothing", () => {
    const trimmer = new Trimmer({ keepEntries: 1, everyMs: 1 });
    for (const wrong of [Number.NaN, Infinity, -5, 2.5]) {
      expect(trimmer.decide(wrong, 10)).to.equal(undefined);
    }
  });
});
