// Latencies: a histogram of milliseconds that answers percentiles.

import { Column } from "./column.ts";

/** Longer latencies count as this one. */
const MS_MAX = 120_000;

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export class Latencies {
  readonly #byMs = new Column();
  #count = 0;

  add(ms: number): void {
    const at = Math.min(MS_MAX, Math.max(0, Math.round(ms)));
    this.#byMs.set(at, this.#byMs.at(at) + 1);
    this.#count++;
  }

  percentiles(): Percentiles {
    return { p50: this.#at(0.5), p99: this.#at(0.99), max: this.#at(1) };
  }

  #at(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left === 0) return 0;
    for (let ms = 0; ms < this.#byMs.length; ms++) {
      left -= this.#byMs.at(ms);
      if (left <= 0) return ms;
    }
    return this.#byMs.length;
  }
}
