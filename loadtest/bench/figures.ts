// Figures: the results of one leg of a bench (one peer, one shape, once).
//
//   figures.1. Systems are compared within a round. The result is the median of the ratios of all
//        rounds.
//   figures.2. A leg with a late generator is void, regardless of its result.

import type { NodeProbe } from "./inside/node-probe.ts";

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface Leg {
  readonly shape: string;
  readonly peer: string;
  readonly seconds: number;
  readonly expected: number;
  readonly delivered: number;
  /** CPU time of all server processes for each delivered message, in µs … */
  readonly cpuUs: number;
  /** … and of each. */
  readonly cpuUsBy: Readonly<Record<string, number>>;
  readonly ackMs?: Percentiles;
  readonly deliveryMs?: Percentiles;
  readonly rssMb: Readonly<Record<string, number>>;
  /** The delay of sends against the schedule, and the load of the generator's core. */
  readonly slipMs: { readonly p99: number; readonly worst: number };
  readonly generatorCpu: number;
  readonly nodes: Readonly<Record<string, NodeProbe>>;
  /** Missing, duplicated, out of order, errors; empty when everything arrived once and in order. */
  readonly complaints: Readonly<Record<string, number>>;
  /** Figures of this shape only, by name. */
  readonly more?: Readonly<Record<string, number>>;
}

/** p99 of the delay of sends above which a leg is void. */
export const SLIP_P99_MS_MAX = 20;

export function isVoid({ slipMs }: Leg): boolean {
  return slipMs.p99 > SLIP_P99_MS_MAX;
}

export function isSound({ complaints }: Leg): boolean {
  return Object.keys(complaints).length === 0;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Ratios of `ours` to `theirs` within each round. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, i) => value / (theirs[i] ?? Number.NaN));
}

/**
 * A 95 % confidence interval of the median, for any distribution: it omits as many samples at each
 * end as a probability of 1 in 40 permits. With fewer than six samples it is minimum to maximum.
 */
export function medianRange(values: readonly number[]): { low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let out = 0;
  let tail = 0.5 ** n;
  for (let choose = 1; tail <= 0.025 && out < n / 2; out++) {
    choose *= (n - out) / (out + 1);
    tail += choose * 0.5 ** n;
  }
  const left = Math.max(0, out - 1);
  return { low: sorted[left] ?? Number.NaN, high: sorted[n - 1 - left] ?? Number.NaN };
}

export function ratio(ours: readonly number[], theirs: readonly number[]): Ratio {
  const all = ratios(ours, theirs);
  return { median: median(all), least: Math.min(...all), most: Math.max(...all) };
}
