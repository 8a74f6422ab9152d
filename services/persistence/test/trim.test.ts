// Trimmer: when the log is trimmed, and how far at most.

import { expect } from "chai";
import * as fc from "fast-check";
import { BrokenInvariant } from "#shared/kit/assert.ts";
import { Trimmer } from "../core/trim.ts";

/** A log without a maximum size, as in the simulation. */
const unbound = (last: number) => ({ first: 1, last, bytes: last * 100 });

describe("Trimmer", () => {
  it("trim.1: the first trim point is 2, and the kept tail is exact", () => {
    const options = { keepEntries: 10, keepShare: 0, everyMs: 1_000 };
    for (const [watermark, upTo] of [
      [0, undefined],
      [10, undefined],
      [11, undefined],
      [12, 2],
      [112, 102],
    ] as const) {
      const trimmer = new Trimmer(options);
      expect(trimmer.isDue(watermark, 0)).to.equal(upTo !== undefined);
      expect(trimmer.decide(watermark, unbound(200), 0)).to.equal(upTo);
    }
  });

  it("trim.2: trim points grow, and there is at most one per everyMs", () => {
    const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0, everyMs: 1_000 });
    expect(trimmer.decide(20, unbound(20), 500)).to.equal(10);
    expect(trimmer.isDue(30, 1_499)).to.equal(false);
    expect(trimmer.decide(30, unbound(30), 1_499)).to.equal(undefined);
    expect(trimmer.isDue(20, 1_500)).to.equal(false); // That is trimmed.
    expect(trimmer.isDue(19, 1_500)).to.equal(false);
    expect(trimmer.isDue(21, 1_500)).to.equal(true);
    expect(trimmer.decide(21, unbound(21), 1_500)).to.equal(11);
  });

  it("trim.2: a read that found nothing to trim counts as one", () => {
    const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0.5, everyMs: 1_000 });
    const log = { first: 1, last: 30, bytes: 3_000, bytesMax: 6_000 };
    expect(trimmer.decide(30, log, 0)).to.equal(undefined);
    expect(trimmer.isDue(30, 999)).to.equal(false);
    expect(trimmer.isDue(30, 1_000)).to.equal(true);
  });

  it("trim.3: a log that begins late, as after a restart, is trimmed only above its share", () => {
    const at = (bytes: number) => {
      const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0.5, everyMs: 1_000 });
      return trimmer.decide(150, { first: 101, last: 200, bytes, bytesMax: 20_000 }, 0);
    };
    expect(at(9_000)).to.equal(undefined);
    expect(at(10_000)).to.equal(undefined);
    // An entry that exceeds the share by one byte is removed whole.
    expect(at(10_001)).to.equal(101);
    expect(at(12_500)).to.equal(120);
    expect(at(19_999)).to.equal(140); // trim.1
  });

  it("trim.3: does not trim an empty log", () => {
    const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0, everyMs: 1_000 });
    const log = { first: 101, last: 100, bytes: 0, bytesMax: 1_000 };
    expect(trimmer.decide(100, log, 0)).to.equal(undefined);
  });

  it("trim.2: of two trim points by size, the second is greater", () => {
    const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0.5, everyMs: 1 });
    const log = { first: 1, last: 100, bytes: 10_000, bytesMax: 10_000 };
    expect(trimmer.decide(100, log, 0)).to.equal(50);
    // The log did not trim yet: the same point is not returned again.
    expect(trimmer.decide(100, log, 1)).to.equal(undefined);
    expect(trimmer.decide(100, { ...log, bytes: 10_001 }, 2)).to.equal(51);
  });

  it("trim.1: refuses options that would empty a log, or leave it full", () => {
    const options = { keepEntries: 1, keepShare: 0, everyMs: 1 };
    expect(() => new Trimmer(options)).to.not.throw();
    expect(() => new Trimmer({ ...options, keepShare: 0.99 })).to.not.throw();
    for (const wrong of [
      { keepEntries: 1.5 },
      { keepEntries: Infinity },
      { keepEntries: 0 },
      { keepShare: -0.01 },
      { keepShare: 1 },
      { keepMs: 0 },
    ]) {
      expect(() => new Trimmer({ ...options, ...wrong })).to.throw(BrokenInvariant);
    }
  });

  it("D5: stays behind the watermark, keeps the tail, and never removes the whole log", () => {
    const step = fc.record({ grow: fc.nat(50), waitMs: fc.nat(2_000) });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 20 }), (steps, keepEntries) => {
        const trimmer = new Trimmer({ keepEntries, keepShare: 0, everyMs: 1_000 });
        let watermark = 0;
        let now = 0;
        let last = 0;
        for (const { grow, waitMs } of steps) {
          watermark += grow;
          now += waitMs;
          const upTo = trimmer.decide(watermark, unbound(watermark), now);
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
    const trimmer = new Trimmer({ keepEntries: 1, keepShare: 0, everyMs: 1 });
    for (const wrong of [Number.NaN, Infinity, -5, 2.5]) {
      expect(trimmer.decide(wrong, unbound(100), 10)).to.equal(undefined);
    }
  });

  it("R4: a log with a maximum keeps archived entries until it is half full, and then the newest half", () => {
    const options = { keepEntries: 10, keepShare: 0.5, everyMs: 1_000 };
    const log = (first: number, last: number) =>
      ({ first, last, bytes: (last - first + 1) * 100, bytesMax: 100_000 }) as const;
    const trimmer = new Trimmer(options);
    expect(trimmer.decide(400, log(1, 400), 0)).to.equal(undefined);
    expect(trimmer.decide(500, log(1, 500), 1_000)).to.equal(undefined);
    expect(trimmer.decide(580, log(1, 600), 2_000)).to.equal(100);
    expect(trimmer.decide(580, log(101, 600), 3_000)).to.equal(undefined);
    // PostgreSQL is unavailable and the log fills: archived entries are removed, the others stay.
    expect(trimmer.decide(580, log(101, 900), 4_000)).to.equal(400);
    expect(trimmer.decide(580, log(401, 1_400), 5_000)).to.equal(570);
    expect(trimmer.decide(580, log(571, 1_570), 6_000)).to.equal(undefined);
  });

  it("C6, R4: archived entries beyond the age go, also those that the other options keep, and no others", () => {
    const HOUR = 3_600_000;
    const options = { keepEntries: 50, keepShare: 0.5, everyMs: 1_000, keepMs: 10 * HOUR };
    const size = { first: 1, last: 100, bytes: 100, bytesMax: 100_000 };
    const at = (firstAt: number | undefined, watermark = 100) =>
      new Trimmer(options).decide(watermark, { ...size, firstAt }, 0, 100 * HOUR);
    expect(at(90 * HOUR)).to.equal(undefined);
    expect(at(undefined)).to.equal(undefined);
    expect(at(80 * HOUR)).to.equal(50);
    expect(at(0)).to.equal(90);
    expect(at(0, 60)).to.equal(59); // trim.1
    expect(new Trimmer(options).decide(100, { ...size, firstAt: 0 }, 0)).to.equal(undefined);
    const ageless = new Trimmer({ ...options, keepMs: undefined });
    expect(ageless.decide(100, { ...size, firstAt: 0 }, 0, 100 * HOUR)).to.equal(undefined);
  });

  it("trim.4: an old part that is denser than the rest is gone after a few trims", () => {
    const [HOUR, OLD] = [3_600_000, 1_000_000];
    const options = { keepEntries: 1, keepShare: 0.5, everyMs: 15_000, keepMs: 24 * HOUR };
    const trimmer = new Trimmer(options);
    let [first, wall, trims] = [1, 24.5 * HOUR, 0];
    const last = OLD + 100;
    for (; first <= OLD; wall += 15_000, trims++) {
      const log = { first, last, bytes: 1, bytesMax: 1_000, firstAt: 0 };
      const upTo = trimmer.decide(last, log, wall, wall);
      expect(upTo).to.not.equal(undefined);
      first = upTo! + 1;
    }
    expect(trims).to.be.at.most(20);
  });

  it("R4: no input trims a log below its share, and a log above it removes what it may", () => {
    const step = fc.record({ grow: fc.nat(300), archived: fc.nat(400) });
    fc.assert(
      fc.property(
        fc.array(step),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (steps, keepShare) => {
          const trimmer = new Trimmer({ keepEntries: 10, keepShare, everyMs: 1 });
          let [first, last, watermark, now] = [1, 0, 0, 0];
          for (const { grow, archived } of steps) {
            last += grow;
            watermark = Math.min(last, watermark + archived);
            const entries = last - first + 1;
            const bytesMax = 100_000;
            const size = { first, last, bytes: entries * 100, bytesMax };
            const upTo = trimmer.decide(watermark, size, (now += 10));
            if (upTo !== undefined) first = upTo + 1;
            const left = (last - first + 1) * 100;
            if (upTo !== undefined) expect(left).to.be.above(keepShare * bytesMax - 101);
            const isFree = watermark - 10 >= 2 && first <= watermark - 10;
            // The very first entry alone is never trimmed (trim.1).
            if (isFree) expect(left).to.be.at.most(keepShare * bytesMax + (first === 1 ? 100 : 0));
          }
        },
      ),
    );
  });

  it("trim.4: after a trim whose first entry is young, the doubling begins again", () => {
    const [HOUR, KEEP] = [3_600_000, 24 * 3_600_000];
    const options = { keepEntries: 1, keepShare: 0.5, everyMs: 1, keepMs: KEEP };
    const trimmer = new Trimmer(options);
    const at = (first: number, ageMs: number, now: number) => {
      const log = { first, last: 1_000, bytes: 1, bytesMax: 1_000, firstAt: 0 };
      return trimmer.decide(1_000, log, now, ageMs);
    };
    // A quarter of the entries by a steady rate, then twice as many.
    expect(at(1, 32 * HOUR, 0)).to.equal(250);
    expect(at(251, 32 * HOUR, 1)).to.equal(750);
    // An entry that has exactly the age stays, and ends the doubling.
    expect(at(751, KEEP, 2)).to.equal(undefined);
    expect(at(751, 32 * HOUR, 3)).to.equal(813);
    // The newest entry stays, and an empty log stays as it is.
    expect(at(1_000, 32 * HOUR, 4)).to.equal(undefined);
    expect(at(1_001, 32 * HOUR, 5)).to.equal(undefined);
  });

  it("trim.4: a log without an old entry is not asked for before its other options allow a trim", () => {
    const trimmer = new Trimmer({ keepEntries: 10, keepShare: 0, everyMs: 1_000, keepMs: 1 });
    const without = new Trimmer({ keepEntries: 10, keepShare: 0, everyMs: 1_000 });
    // With an age an archived entry may be too old already; only the newest one stays.
    expect([trimmer.isDue(3, 0), without.isDue(3, 0)]).to.deep.equal([true, false]);
    expect([trimmer.isDue(2, 0), without.isDue(11, 0)]).to.deep.equal([false, false]);
    expect(without.isDue(12, 0)).to.equal(true);
  });
});
