import { expect } from "chai";
import * as fc from "fast-check";
import { seededRandom } from "../random.ts";
import { Peaks, PEAKS_MAX } from "../peaks.ts";
import { SAMPLES_MAX, Series } from "../series.ts";
import { LOOK_AHEAD, Trend } from "../trend.ts";
import type { Forecast } from "../trend.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Outcome {
  /** The time of the first forecast. */
  readonly warnedAt: number | undefined;
  /** The time at which the limit was reached. */
  readonly endedAt: number | undefined;
  readonly forecast: Forecast | undefined;
}

/** Runs `level` (of a time in ms) until `until` or until it reaches `limit`. */
function run(options: {
  readonly seed: number;
  readonly limit: number;
  readonly until: number;
  readonly noise: number;
  readonly level: (at: number) => number;
}): Outcome {
  const random = seededRandom(options.seed);
  const uniform = (): number => (random.next32() + 1) / (2 ** 32 + 1);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const trend = new Trend(options.limit);
  let warnedAt: number | undefined;
  let forecast: Forecast | undefined;
  for (let at = 0; at < options.until; at += (1 + 2 * uniform()) * MINUTE) {
    const value = options.level(at) + options.noise * normal();
    if (value >= options.limit) return { warnedAt, endedAt: at, forecast };
    trend.add({ at, value });
    if (trend.forecast !== undefined && warnedAt === undefined) {
      warnedAt = at;
      ({ forecast } = trend);
    }
  }
  return { warnedAt, endedAt: undefined, forecast };
}

const seeds = fc.integer({ min: 1, max: 2 ** 31 });

describe("Trend", () => {
  it("trend.3: a steady leak is forecast before it ends, for any seed", () => {
    const leaks = fc.record({ seed: seeds, hours: fc.double({ min: 2, max: 20, noNaN: true }) });
    fc.assert(
      fc.property(leaks, ({ seed, hours }) => {
        const level = (at: number): number => 200 + (800 * at) / (hours * HOUR);
        const outcome = run({ seed, limit: 1_000, until: 2 * hours * HOUR, noise: 8, level });
        expect(outcome.endedAt).to.be.a("number");
        expect(outcome.warnedAt, "no forecast").to.be.a("number");
        const left = (outcome.endedAt ?? 0) - (outcome.warnedAt ?? 0);
        expect(left, "lead").to.be.above(0.1 * (outcome.endedAt ?? 0));
        // The prediction is right within a factor of two.
        expect((outcome.forecast?.medianMs ?? 0) / left).to.be.within(0.5, 2);
      }),
      { numRuns: 50 },
    );
  });

  it("trend.1: a leak that begins after days of daily waves is forecast within its own hours", () => {
    const daily = (at: number): number => 500 + 200 * Math.sin((2 * Math.PI * at) / (24 * HOUR));
    for (const seed of [1, 2, 3]) {
      const level = (at: number): number =>
        daily(at) + (at > 60 * HOUR ? ((at - 60 * HOUR) / (6 * HOUR)) * 800 : 0);
      const outcome = run({ seed, limit: 1_350, until: 72 * HOUR, noise: 20, level });
      expect(outcome.warnedAt).to.be.above(60 * HOUR);
      expect((outcome.endedAt ?? 0) - (outcome.warnedAt ?? 0)).to.be.above(47 * MINUTE);
    }
  });

  it("trend.4: waves, warm-ups, plateaus and noise are no trend", () => {
    const levels: readonly ((at: number) => number)[] = [
      () => 600,
      (at) => 500 + 300 * Math.sin((2 * Math.PI * at) / (24 * HOUR)),
      (at) => 500 + 300 * Math.sin((2 * Math.PI * at) / (5 * HOUR)),
      (at) => 200 + 400 * (1 - Math.exp(-at / (2 * HOUR))),
    ];
    for (const level of levels) {
      for (const seed of [1, 2]) {
        const outcome = run({ seed, limit: 1_000, until: 4 * 24 * HOUR, noise: 20, level });
        expect(outcome).to.deep.equal({
          warnedAt: undefined,
          endedAt: undefined,
          forecast: undefined,
        });
      }
    }
  });

  it("trend.2: it predicts no further than it has seen", () => {
    const samples = fc.array(fc.double({ min: 0, max: 99, noNaN: true }), { maxLength: 400 });
    fc.assert(
      fc.property(samples, fc.boolean(), (values, isSorted) => {
        const trend = new Trend(100);
        for (const [i, value] of (isSorted ? values.toSorted((a, b) => a - b) : values).entries()) {
          trend.add({ at: i * MINUTE, value });
          const { forecast } = trend;
          if (forecast === undefined) continue;
          expect(forecast.medianMs).to.be.within(0, LOOK_AHEAD * i * MINUTE);
          expect(forecast.earliestMs).to.be.at.most(forecast.medianMs);
          expect(forecast.latestMs).to.be.at.least(forecast.medianMs);
        }
      }),
    );
  });

  it("trend.5: at the limit the forecast is given at once", () => {
    const trend = new Trend(100);
    trend.add({ at: 0, value: 100 });
    expect(trend.forecast).to.include({ earliestMs: 0, medianMs: 0, latestMs: 0 });
    trend.limit = 200;
    expect(trend.forecast).to.equal(undefined);
  });
});

describe("Series", () => {
  it("kit/series.1: it holds at most SAMPLES_MAX samples and spans everything that it was given", () => {
    const series = new Series();
    for (let at = 0; at < 100_000; at++) series.add({ at, value: at });
    expect(series.samples.length).to.be.within(SAMPLES_MAX / 4, SAMPLES_MAX);
    expect(series.samples[0]).to.deep.equal({ at: 0, value: 0 });
    expect(series.samples.at(-1)?.at).to.be.above(98_000);
    const gaps = series.samples.slice(1).map(({ at }, i) => at - (series.samples[i]?.at ?? 0));
    expect(Math.max(...gaps), "evenly spread").to.be.below(4 * Math.min(...gaps));
  });

  it("kit/series.2: a window drops what is older", () => {
    const series = new Series(1_000);
    for (let at = 0; at < 10_000; at += 50) series.add({ at, value: 1 });
    expect(series.samples[0]?.at).to.be.at.least(8_950);
    series.add({ at: 50_000, value: 2 });
    expect(series.samples).to.deep.equal([{ at: 50_000, value: 2 }]);
  });

  it("kit/series.3: a sample that is not newer than the last one is dropped", () => {
    const series = new Series();
    for (const at of [5, 5, 4, 6]) series.add({ at, value: at });
    expect(series.samples.map(({ at }) => at)).to.deep.equal([5, 6]);
    expect(() => series.add({ at: 7, value: Number.NaN })).to.throw("finite");
  });

  it("kit/series.1: medians of blocks leave single outliers out", () => {
    const series = new Series();
    for (let at = 0; at < 160; at++) series.add({ at, value: at % 10 === 3 ? 1_000 : 5 });
    expect(series.medians(16).map(({ value }) => value)).to.deep.equal(Array(16).fill(5));
    expect(new Series().medians(4)).to.deep.equal([]);
  });
});

describe("Peaks", () => {
  it("peaks.1: for any samples, no level is lost and memory is bounded", () => {
    const values = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 3, maxLength: 3_000 });
    fc.assert(
      fc.property(values, (list) => {
        const peaks = new Peaks();
        for (const [at, value] of list.entries()) peaks.add({ at, value });
        const levels = list.slice(2).map((value, i) => {
          const [a, b] = [list[i] ?? 0, list[i + 1] ?? 0];
          return [a, b, value].toSorted((x, y) => x - y)[1] ?? 0;
        });
        expect(peaks.before(Infinity)).to.equal(Math.max(...levels));
        expect(peaks.size).to.be.at.most(PEAKS_MAX);
        const middle = Math.floor(list.length / 2);
        expect(peaks.before(middle)).to.be.at.most(Math.max(...levels.slice(0, middle)));
      }),
    );
  });
});
