// Evaluate: replays recorded runs through the trend of the services, and counts what it forecast.
//
//   evaluate.1. A run is exhausted when V8 ended its process. A warning is the first forecast of
//        the run. A warning in a run of a healthy shape is a false alarm. A run that leaks and was
//        not exhausted within its time is neither: it is left out, and counted as such.

import { unexplained } from "#shared/kit/foresight.ts";
import { Trend } from "#shared/kit/trend.ts";
import { SHAPES } from "./shapes.ts";
import type { ShapeName } from "./shapes.ts";

export interface Reading {
  /** Seconds since the start. */
  readonly at: number;
  readonly live: number;
  readonly accounted: number;
  readonly limit: number;
}

export interface Run {
  readonly shape: ShapeName;
  readonly seed: number;
  readonly isExhausted: boolean;
  /** Seconds until the end of the process. */
  readonly seconds: number;
  readonly readings: readonly Reading[];
}

export interface Judged {
  readonly run: Run;
  /** Seconds; undefined without a warning. */
  readonly warnedAt: number | undefined;
}

export interface Score {
  readonly runs: number;
  readonly exhausted: number;
  /** Leaks whose time was over before their memory. */
  readonly leftOut: number;
  readonly found: number;
  readonly falseAlarms: number;
  readonly healthySeconds: number;
  /** Of the runs found: the share of the run that was left at the warning, in ascending order. */
  readonly leads: readonly number[];
}

/** evaluate.1. */
export function judge(run: Run): Judged {
  let trend: Trend | undefined;
  for (const { at, live, accounted, limit } of run.readings) {
    // The bound of the store is not recorded: what it holds now is the least that it may hold.
    const sample = unexplained(live, limit, { bytes: accounted, bytesMax: accounted });
    trend ??= new Trend(sample.limit);
    trend.limit = sample.limit;
    trend.add({ at: at * 1_000, value: sample.value });
    if (trend.forecast !== undefined) return { run, warnedAt: at };
  }
  return { run, warnedAt: undefined };
}

export function scoreOf(judged: readonly Judged[]): Score {
  const exhausted = judged.filter(({ run }) => run.isExhausted);
  const healthy = judged.filter(({ run }) => !run.isExhausted && !SHAPES[run.shape].isLeak);
  const found = exhausted.filter(({ warnedAt }) => warnedAt !== undefined);
  return {
    runs: judged.length,
    exhausted: exhausted.length,
    leftOut: judged.length - exhausted.length - healthy.length,
    found: found.length,
    falseAlarms: healthy.filter(({ warnedAt }) => warnedAt !== undefined).length,
    healthySeconds: healthy.reduce((sum, { run }) => sum + run.seconds, 0),
    leads: found
      .map(({ run, warnedAt = 0 }) => (run.seconds - warnedAt) / run.seconds)
      .toSorted((a, b) => a - b),
  };
}

/** The interval of Wilson (1927) at 95 % for `part` of `whole`. */
export function wilson(part: number, whole: number): readonly [number, number] {
  if (whole === 0) return [0, 1];
  const z = 1.96;
  const share = part / whole;
  const middle = share + (z * z) / (2 * whole);
  const half = z * Math.sqrt((share * (1 - share)) / whole + (z * z) / (4 * whole * whole));
  const scale = 1 + (z * z) / whole;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

export const isHeldOut = ({ run }: Judged): boolean => SHAPES[run.shape].isHeldOut;
