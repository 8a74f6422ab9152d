// Trend: whether a quantity of one process grows, and when it will reach its limit.
//
// Owns: the estimate. Does not own: the sensor, the limit, or what happens with the result. The
// same code runs for the heap, RSS, open files, the fill of a log and the lag of the archive.
//
// Growth is the drift of a Wiener process. Its uncertainty comes from the scatter of the
// increments, so a quantity that merely fluctuates has no trend.
//
//   trend.1. It looks at several windows, each of which is a bounded series, so that growth that
//        begins after days of rest is found as soon as growth from the start.
//   trend.2. A window predicts at most LOOK_AHEAD × its span: what was seen for an hour says
//        nothing about tomorrow.
//   trend.3. The span is divided into BLOCKS of equal time, each represented by its median, so that
//        the scatter of single samples does not hide growth. The drift comes from the newest half.
//   trend.4. Growth that has ended or that returns each day is no trend: the newest block must be
//        above all blocks before it, also above those of the whole life of the process, and the
//        newest quarter must grow at CONTINUES of the drift at least.
//   trend.5. A window gives a forecast once its estimate has held for HOLD of its span. At or above
//        the limit the forecast is given at once.

import { firstPassageTime } from "./first-passage.ts";
import { Peaks } from "./peaks.ts";
import { Series } from "./series.ts";
import type { Sample } from "./series.ts";
import type { Millis } from "../protocol/ids.ts";

/** How long until the limit, from the newest sample of its window on. */
export interface Forecast {
  /** One in ten such processes reaches the limit before this. */
  readonly earliestMs: Millis;
  readonly medianMs: Millis;
  /** Nine in ten reach it before this. */
  readonly latestMs: Millis;
  /** The growth of the quantity, in units for each millisecond. */
  readonly perMs: number;
}

export const LOOK_AHEAD = 0.7;
const BLOCKS = 12;
/** Fewer samples than this give no estimate. */
const SAMPLES_MIN = 16;
/** Drift over its standard error. */
const SIGNIFICANT = 2.5;
/** The drift of the newest quarter, as a share of the drift of the newest half. */
const CONTINUES = 0.5;
/** The share of the span for which an estimate must hold. */
const HOLD = 0.1;
const TAILS = { earliest: 0.1, median: 0.5, latest: 0.9 } as const;
const HOUR_MS = 3_600_000;
/** The whole life of the process comes first (trend.4). */
const WINDOWS_MS = [Infinity, 48 * HOUR_MS, 8 * HOUR_MS, 1.5 * HOUR_MS] as const;

const REACHED: Forecast = { earliestMs: 0, medianMs: 0, latestMs: 0, perMs: 0 };

interface Drift {
  readonly perMs: number;
  /** Units² for each millisecond. */
  readonly variance: number;
  readonly spanMs: Millis;
}

interface Window {
  readonly series: Series;
  estimate: Forecast | undefined;
  /** When `estimate` became defined without a break. */
  since: Millis;
}

export class Trend {
  /** The value at which the process fails or refuses work. It may change. */
  limit: number;
  readonly #windows: readonly Window[];
  readonly #peaks = new Peaks();
  #last: Sample | undefined;

  constructor(limit: number) {
    this.limit = limit;
    this.#windows = WINDOWS_MS.map((windowMs) => ({
      series: new Series(windowMs),
      estimate: undefined,
      since: 0,
    }));
  }

  add(sample: Sample): void {
    this.#last = sample;
    this.#peaks.add(sample);
    for (const window of this.#windows) {
      if (!window.series.add(sample)) continue;
      const before = window.estimate;
      window.estimate = this.#estimate(window.series, sample);
      if (before === undefined) window.since = sample.at;
    }
  }

  /** The nearest forecast of all windows; undefined without significant, lasting growth. */
  get forecast(): Forecast | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    if (last.value >= this.limit) return REACHED;
    let nearest: Forecast | undefined;
    for (const { series, estimate, since } of this.#windows) {
      const first = series.samples[0];
      if (first === undefined || estimate === undefined) continue;
      if (last.at - since < HOLD * (last.at - first.at)) continue; // trend.5
      if (nearest === undefined || estimate.medianMs < nearest.medianMs) nearest = estimate;
    }
    return nearest;
  }

  #estimate(series: Series, last: Sample): Forecast | undefined {
    const first = series.samples[0];
    if (first === undefined || series.samples.length < SAMPLES_MIN) return undefined;
    const blocks = series.medians(BLOCKS);
    const newest = blocks.at(-1);
    if (newest === undefined) return undefined;
    const isHighest = blocks.every((block) => block === newest || block.value < newest.value);
    if (!isHighest || newest.value < this.#peaks.before(first.at)) return undefined; // trend.4
    const half = driftOf(blocks.slice(-BLOCKS / 2));
    const quarter = driftOf(blocks.slice(-BLOCKS / 4));
    if (!isSignificant(half) || quarter.perMs < CONTINUES * half.perMs) return undefined;
    const perMs = Math.min(half.perMs, quarter.perMs);
    const distance = this.limit - Math.max(newest.value, last.value);
    if (distance <= 0) return { ...REACHED, perMs };
    const passage = { distance, drift: perMs, variance: half.variance };
    const medianMs = firstPassageTime(passage, TAILS.median);
    if (medianMs > LOOK_AHEAD * (last.at - first.at)) return undefined; // trend.2
    return {
      earliestMs: firstPassageTime(passage, TAILS.earliest),
      medianMs,
      latestMs: firstPassageTime(passage, TAILS.latest),
      perMs,
    };
  }
}

function driftOf(blocks: readonly Sample[]): Drift {
  const first = blocks[0];
  const last = blocks.at(-1);
  if (first === undefined || last === undefined || first === last) {
    return { perMs: 0, variance: Number.MIN_VALUE, spanMs: 0 };
  }
  const spanMs = last.at - first.at;
  const perMs = (last.value - first.value) / spanMs;
  let sum = 0;
  for (let i = 1; i < blocks.length; i++) {
    const before = blocks[i - 1] ?? first;
    const after = blocks[i] ?? last;
    const wait = after.at - before.at;
    sum += (after.value - before.value - perMs * wait) ** 2 / wait;
  }
  // One degree of freedom went into the drift. A straight line has a little variance too.
  const variance = sum / Math.max(1, blocks.length - 2);
  return { perMs, variance: Math.max(variance, Number.EPSILON * last.value ** 2), spanMs };
}

function isSignificant({ perMs, variance, spanMs }: Drift): boolean {
  return perMs > 0 && perMs * Math.sqrt(spanMs / variance) >= SIGNIFICANT;
}
