// Blame: which kind of operation grows together with the memory of a process.
//
// Owns: the comparison. It finds what grows at the same times, which is no proof of a cause.
//
//   blame.1. It stores at most READINGS_MAX readings. When full it drops every second one.
//   blame.2. A kind is blamed when "each operation leaves the same number of bytes" explains
//        EXPLAINS_MIN of the growth, and leaves at most BETTER of what "bytes grow with time"
//        leaves unexplained. Operations at a constant rate look like time, so none is blamed.

import type { Millis } from "../protocol/ids.ts";

export const READINGS_MAX = 128;
const READINGS_MIN = 8;
const EXPLAINS_MIN = 0.8;
const BETTER = 0.5;

/** Since the start of the process: how often each kind of operation happened. */
export type OperationCounts = ReadonlyMap<string, number>;

export interface Blamed {
  readonly what: string;
  /** What stays of each operation. */
  readonly bytes: number;
}

interface Reading {
  readonly at: Millis;
  readonly bytes: number;
  readonly counts: OperationCounts;
}

export class Blame {
  #readings: Reading[] = [];

  get size(): number {
    return this.#readings.length;
  }

  /** Readings arrive in order of time. */
  add(reading: Reading): void {
    this.#readings.push(reading);
    if (this.#readings.length <= READINGS_MAX) return;
    this.#readings = this.#readings.filter((_, i) => i % 2 === 0); // blame.1
  }

  /** Undefined: no kind explains the growth better than time does. */
  get blamed(): Blamed | undefined {
    const steps = this.#steps();
    if (steps.length < READINGS_MIN) return undefined;
    const growth = steps.map(({ bytes }) => bytes);
    const byTime = fit(
      growth,
      steps.map(({ ms }) => ms),
    );
    let best: (Blamed & { readonly rest: number }) | undefined;
    for (const what of this.#readings.at(-1)?.counts.keys() ?? []) {
      const counts = steps.map((step) => step.counts.get(what) ?? 0);
      const { slope, rest } = fit(growth, counts);
      if (slope <= 0 || rest > 1 - EXPLAINS_MIN || rest > BETTER * byTime.rest) continue; // blame.2
      if (best === undefined || rest < best.rest) best = { what, bytes: slope, rest };
    }
    return best && { what: best.what, bytes: best.bytes };
  }

  /** The differences between neighbours. */
  #steps(): { readonly ms: Millis; readonly bytes: number; readonly counts: OperationCounts }[] {
    return this.#readings.slice(1).map((after, i) => {
      const before = this.#readings[i] ?? after;
      const counts = new Map<string, number>();
      for (const [what, count] of after.counts) {
        counts.set(what, count - (before.counts.get(what) ?? 0));
      }
      return { ms: after.at - before.at, bytes: after.bytes - before.bytes, counts };
    });
  }
}

/** The line through the origin, and the share of the squares of `y` that it does not explain. */
function fit(
  y: readonly number[],
  x: readonly number[],
): { readonly slope: number; readonly rest: number } {
  const sum = (of: (i: number) => number): number => y.reduce((total, _, i) => total + of(i), 0);
  const xx = sum((i) => (x[i] ?? 0) ** 2);
  const yy = sum((i) => (y[i] ?? 0) ** 2);
  if (xx === 0 || yy === 0) return { slope: 0, rest: 1 };
  const slope = sum((i) => (x[i] ?? 0) * (y[i] ?? 0)) / xx;
  return { slope, rest: sum((i) => ((y[i] ?? 0) - slope * (x[i] ?? 0)) ** 2) / yy };
}
