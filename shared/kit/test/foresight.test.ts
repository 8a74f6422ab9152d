import { expect } from "chai";
import { Foresight, isFull, unexplained } from "../foresight.ts";
import type { Resource, Usage } from "../foresight.ts";

const MIB = 1_024 * 1_024;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Adds a sample each minute; `usageOf` gets the time. */
function run(hours: number, resource: Resource, usageOf: (at: number) => Usage): Foresight {
  const foresight = new Foresight();
  for (let at = 0; at < hours * HOUR; at += MINUTE) foresight.add(resource, usageOf(at), at);
  return foresight;
}

const namesOf = (foresight: Foresight, now: number): readonly Resource[] =>
  Array.from(foresight.forecasts(now), ([resource]) => resource);

describe("Foresight", () => {
  it("foresight.1: what a bounded store holds is no growth, and its bound leaves less for the rest", () => {
    const before = unexplained(100 * MIB, 1_000 * MIB, { bytes: 10 * MIB, bytesMax: 300 * MIB });
    const after = unexplained(290 * MIB, 1_000 * MIB, { bytes: 200 * MIB, bytesMax: 300 * MIB });
    expect(before).to.deep.equal({ value: 90 * MIB, limit: 500 * MIB });
    expect(after).to.deep.equal(before);
    expect(unexplained(MIB, 100 * MIB, { bytes: 2 * MIB, bytesMax: 200 * MIB })).to.deep.equal({
      value: 0,
      limit: 40 * MIB,
    });
  });

  it("foresight.1: a bounded cache that fills gives no forecast at any time, and a leak beside it does", () => {
    const bytesMax = 150 * MIB;
    const cache = (at: number): number => Math.min(bytesMax, (at / (5 * HOUR)) * bytesMax);
    const wobble = (at: number): number => MIB * Math.sin(at / (7 * MINUTE));
    const usageOf = (at: number, leak: number): Usage =>
      unexplained(60 * MIB + wobble(at) + cache(at) + (leak * at) / HOUR, 400 * MIB, {
        bytes: cache(at),
        bytesMax,
      });
    const healthy = new Foresight();
    for (let at = 0; at < 8 * HOUR; at += MINUTE) {
      healthy.add("heap", usageOf(at, 0), at);
      expect(namesOf(healthy, at), `after ${at / MINUTE} min`).to.deep.equal([]);
    }
    const leaking = run(4, "heap", (at) => usageOf(at, 24 * MIB));
    expect(namesOf(leaking, 4 * HOUR)).to.deep.equal(["heap"]);
    // Without the account the same cache is growth towards the limit.
    const blind = run(4, "heap", (at) => ({ value: 60 * MIB + cache(at), limit: 220 * MIB }));
    expect(namesOf(blind, 4 * HOUR)).to.deep.equal(["heap"]);
  });

  it("foresight.2, foresight.3: a forecast counts down, and ends when no further sample comes", () => {
    const leaking = run(4, "heap", (at) => ({ value: 100 + at / MINUTE, limit: 400 }));
    const [found] = [...leaking.forecasts(4 * HOUR)];
    const left = found![1].medianMs;
    expect(left).to.be.closeTo(60 * MINUTE, 6 * MINUTE);
    const [later] = [...leaking.forecasts(4 * HOUR + 0.5 * left)];
    expect(later![1].medianMs).to.be.closeTo(0.5 * left, 2 * MINUTE);
    expect(namesOf(leaking, 4 * HOUR + 0.8 * left)).to.deep.equal([]);
  });

  it("foresight.4: a soft resource at its limit has no forecast, the heap has one of zero", () => {
    const usage = { value: 10, limit: 5 };
    const foresight = run(1, "heap", () => usage);
    for (const soft of ["log", "archive", "event-loop"] as const) foresight.add(soft, usage, 0);
    const found = [...foresight.forecasts(HOUR)];
    expect(found.map(([resource, { medianMs }]) => [resource, medianMs])).to.deep.equal([
      ["heap", 0],
    ]);
  });

  it("a heap is full at 90 % of the level at which V8 may end a process that collects all the time", () => {
    expect(isFull(71 * MIB, 100 * MIB)).to.equal(false);
    expect(isFull(73 * MIB, 100 * MIB)).to.equal(true);
  });
});
