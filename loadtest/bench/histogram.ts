// Histogram: latencies in buckets that grow by 2 %. The memory does not grow with the samples.
//
//   bench/histogram.1. A merged histogram has the percentiles of all samples, not a mean of
//        percentiles.

const GROWTH = 1.02;
const FIRST_MS = 0.01;
const BUCKETS = 1_000;

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;

  add(ms: number): void {
    const index = ms <= FIRST_MS ? 0 : Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH));
    const bucket = Math.min(BUCKETS - 1, index);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
  }

  /** Adds the samples of another histogram. */
  merge(other: Histogram): this {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i] = (this.#counts[i] ?? 0) + other.at(i);
    this.#count += other.count;
    return this;
  }

  at(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  get count(): number {
    return this.#count;
  }

  /** The upper edge of the bucket below which `share` (0…1) of the samples lie; NaN when empty. */
  percentile(share: number): number {
    if (this.#count === 0) return Number.NaN;
    let left = Math.ceil(share * this.#count);
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#counts[i] ?? 0;
      if (left <= 0) return FIRST_MS * GROWTH ** i;
    }
    return FIRST_MS * GROWTH ** (BUCKETS - 1);
  }
}
