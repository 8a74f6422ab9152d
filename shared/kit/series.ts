// Series: samples of one quantity over a window of time, in bounded memory.
//
//   kit/series.1. It stores at most SAMPLES_MAX samples. A full series drops every second one and
//        from then on accepts one sample in twice the time, so that it still spans its window.
//   kit/series.2. It drops samples that are older than its window. A window without end keeps the
//        whole life of the process.
//   kit/series.3. A sample that is not newer than the last one is dropped.

import { assert } from "./assert.ts";
import type { Millis } from "../protocol/ids.ts";

export interface Sample {
  readonly at: Millis;
  readonly value: number;
}

export const SAMPLES_MAX = 256;

export class Series {
  readonly #windowMs: Millis;
  #samples: Sample[] = [];
  /** The least time between two samples (kit/series.1). */
  #spacing: Millis = 0;

  constructor(windowMs: Millis = Infinity) {
    this.#windowMs = windowMs;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Whether the sample was stored (kit/series.1, kit/series.3). */
  add(sample: Sample): boolean {
    assert(Number.isFinite(sample.value), "a sample is a finite number");
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.at <= last.at) return false; // kit/series.3
    if (last !== undefined && sample.at - last.at < this.#spacing) return false;
    this.#samples.push(sample);
    const oldest = sample.at - this.#windowMs;
    const first = this.#samples.findIndex(({ at }) => at >= oldest);
    if (first > 0) this.#samples.splice(0, first);
    if (this.#samples.length > SAMPLES_MAX) this.#thin();
    return true;
  }

  /** Divides the span into `count` blocks of equal time: the median of each that has samples. */
  medians(count: number): readonly Sample[] {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return [];
    const width = (last.at - first.at) / count;
    const blocks = Array.from({ length: count }, (): Sample[] => []);
    for (const sample of this.#samples) {
      const index = width === 0 ? 0 : Math.floor((sample.at - first.at) / width);
      blocks[Math.min(count - 1, index)]?.push(sample);
    }
    return blocks.filter((block) => block.length > 0).map(medianOf);
  }

  #thin(): void {
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0); // The newest one stays.
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#spacing = (0.9 * (last.at - first.at)) / this.#samples.length;
  }
}

/** The median value of a block, at the mean of its times. */
function medianOf(block: readonly Sample[]): Sample {
  const values = block.map(({ value }) => value).toSorted((a, b) => a - b);
  const low = values[Math.floor((values.length - 1) / 2)] ?? 0;
  const high = values[Math.floor(values.length / 2)] ?? 0;
  const at = block.reduce((sum, sample) => sum + sample.at, 0) / block.length;
  return { at, value: (low + high) / 2 };
}
