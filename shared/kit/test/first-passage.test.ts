import { expect } from "chai";
import * as fc from "fast-check";
import { seededRandom } from "../random.ts";
import { firstPassageShare, firstPassageTime, QUANTILE_ERROR } from "../first-passage.ts";

const passages = fc.record({
  distance: fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
  drift: fc.double({ min: 1e-6, max: 1e3, noNaN: true }),
  variance: fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
});

describe("First passage", () => {
  it("first-passage.1: the share never falls with time, and is between 0 and 1", () => {
    fc.assert(
      fc.property(passages, fc.double({ min: 0.01, max: 100, noNaN: true }), (passage, part) => {
        const time = (part * passage.distance) / passage.drift;
        const [early, late] = [time, 1.5 * time].map((at) => firstPassageShare(passage, at));
        expect(firstPassageShare(passage, 0)).to.equal(0);
        expect(early).to.be.within(0, 1);
        expect(late).to.be.within((early ?? 0) - 1e-6, 1);
      }),
    );
  });

  it("first-passage.2: the time of a share has that share", () => {
    fc.assert(
      fc.property(passages, fc.constantFrom(0.1, 0.5, 0.9), (passage, share) => {
        const time = firstPassageTime(passage, share);
        expect(firstPassageShare(passage, time * (1 + QUANTILE_ERROR))).to.be.at.least(share);
        expect(firstPassageShare(passage, time * (1 - 2 * QUANTILE_ERROR))).to.be.at.most(share);
      }),
    );
  });

  it("first-passage.1: the share agrees with 4,000 simulated processes", () => {
    const passage = { distance: 5, drift: 0.5, variance: 0.5 };
    const random = seededRandom(1);
    const uniform = (): number => (random.next32() + 1) / (2 ** 32 + 1);
    const normal = (): number =>
      Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const step = 0.01;
    let reached = 0;
    for (let run = 0; run < 4_000; run++) {
      let value = 0;
      for (let time = 0; time < 10 && value < passage.distance; time += step) {
        value += passage.drift * step + Math.sqrt(passage.variance * step) * normal();
      }
      if (value >= passage.distance) reached++;
    }
    expect(reached / 4_000).to.be.closeTo(firstPassageShare(passage, 10), 0.03);
  });
});
