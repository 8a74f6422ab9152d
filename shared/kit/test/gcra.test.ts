// GCRA: what passes, what waits, and how many keys are kept.

import { expect } from "chai";
import * as fc from "fast-check";
import { Gcra } from "../gcra.ts";

describe("GCRA", () => {
  it("S5: lets a burst pass at once, then one request per interval, and returns the exact wait", () => {
    const gcra = new Gcra({ perSecond: 10, burst: 3 }, 100);
    expect([1, 2, 3].map(() => gcra.take("a", 0).ok)).to.deep.equal([true, true, true]);
    expect(gcra.take("a", 0)).to.deep.equal({ ok: false, afterMs: 100 });
    expect(gcra.take("a", 40)).to.deep.equal({ ok: false, afterMs: 60 });
    expect(gcra.take("a", 100).ok).to.equal(true);
    expect(gcra.take("a", 100).ok).to.equal(false);
    expect(gcra.take("b", 100).ok, "another key is another bucket").to.equal(true);
    expect([1, 2, 3, 4].map(() => gcra.take("a", 100_000).ok)).to.deep.equal([
      true,
      true,
      true,
      false,
    ]);
  });

  it("S5: for any rate, exactly the burst passes at one moment, also after two years of uptime", () => {
    const rates = fc.record({
      perSecond: fc.integer({ min: 1, max: 1_000 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 2 ** 36, noNaN: true }), (rate, now) => {
        const gcra = new Gcra(rate, 10);
        let passed = 0;
        for (let i = 0; i < rate.burst + 5; i++) if (gcra.take("a", now).ok) passed++;
        expect(passed).to.equal(rate.burst);
      }),
    );
  });

  it("S5: over any span, at most burst + rate × span pass", () => {
    const rates = fc.record({
      perSecond: fc.integer({ min: 1, max: 200 }),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(rates, gaps, (rate, gaps) => {
        const gcra = new Gcra(rate, 10);
        const passed: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          if (gcra.take("a", now).ok) passed.push(now);
        }
        for (const [i, from] of passed.entries()) {
          for (let j = i; j < passed.length; j++) {
            const allowed = rate.burst + (rate.perSecond * (passed[j]! - from)) / 1_000;
            expect(j - i + 1).to.be.at.most(Math.floor(allowed + 0.001));
          }
        }
      }),
    );
  });

  it("S5: a request passes after the returned wait, and is refused before it", () => {
    const rates = fc.record({
      perSecond: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(rates, fc.nat(1_000_000), (rate, start) => {
        const gcra = new Gcra(rate, 10);
        for (let i = 0; i < rate.burst; i++) gcra.take("a", start);
        const verdict = gcra.take("a", start);
        if (verdict.ok) return expect.fail("the burst should be used up");
        expect(gcra.take("a", start + verdict.afterMs - 1).ok).to.equal(false);
        expect(gcra.take("a", start + verdict.afterMs).ok).to.equal(true);
        return undefined;
      }),
    );
  });

  it("S5: bounds the table: idle keys are removed first, then the least recently used one", () => {
    const gcra = new Gcra({ perSecond: 1, burst: 2 }, 3);
    gcra.take("old", 0);
    gcra.take("busy", 0);
    gcra.take("busy", 1_500);
    gcra.take("third", 1_500);
    expect(gcra.size).to.equal(3);
    gcra.take("new", 1_600); // The bucket of "old" is empty since 1,000.
    expect(gcra.size).to.equal(3);
    gcra.take("newer", 1_600); // No key is idle: "busy" was used before the others.
    expect(gcra.size).to.equal(3);
    expect(gcra.take("third", 1_600).ok).to.equal(true);
    expect(gcra.take("third", 1_600).ok, "third kept its bucket").to.equal(false);
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 200 }), (keys) => {
        const bounded = new Gcra({ perSecond: 5, burst: 2 }, 7);
        for (const [i, key] of keys.entries()) bounded.take(`k${key}`, i * 10);
        expect(bounded.size).to.be.at.most(7);
      }),
    );
  });
});
