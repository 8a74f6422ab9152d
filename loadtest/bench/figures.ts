// Figures: what one leg of a bench (one peer, one shape, once) gives.
//
//   figures.1. Systems are compared round by round: what stood side by side in time is divided, and the
//        median of these ratios counts.
//   figures.2. A leg whose generator was late is void, whatever came out of it.

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
  /** CPU of all server processes per delivered message, in µs … */
  readonly cpuUs: number;
  /** … and of each. */
  readonly cpuUsBy: Readonly<Record<string, number>>;
  readonly ackMs?: Percentiles;
  readonly deliveryMs?: Percentiles;
  readonly rssMb: Readonly<Record<string, number>>;
  /** How late sends were behind the schedule, and how busy the generator's core was with it. */
  readonly slipMs: { readonly p99: number; readonly worst: number };
  readonly generatorCpu: number;
  readonly nodes: Readonly<Record<string, NodeProbe>>;
  /** Missing, doubled, out of order, errors; empty when everything came once and in order. */
  readonly complaints: Readonly<Record<string, number>>;
  /** Figures that only this shape has, by name. */
  readonly more?: Readonly<Record<string, number>>;
}

/** One send in a hundred may be this late before a run says nothing any more. */
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

/** `ours` to `theirs`, round by round: what stood side by side in time is compared. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, i) => value / (theirs[i] ?? Number.NaN));
}

/**
 * Where the median of what these are samples of lies with 95 %, whatever their distribution: so many
 * of them at either end can be left out that fewer lie beyond by chance in one case of forty.
 * Fewer than six tell no more than from the least to the most.
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
