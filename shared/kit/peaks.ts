// Peaks: the highest level that a quantity had before a given time, in bounded memory.
//
// A level is the median of three samples in a row, so that one outlier is no peak.
//
//   peaks.1. It stores at most PEAKS_MAX peaks. When full, it merges neighbours into the
//        higher one, at the later of the two times: a peak is never lost, at most reported later.

import type { Millis } from "../protocol/ids.ts";
import type { Sample } from "./series.ts";

export const PEAKS_MAX = 256;

export class Peaks {
  #peaks: Sample[] = [];
  #before: readonly number[] = [];
  /** Levels merged into one peak; doubles with each merge of all. */
  #width = 1;
  #open = 0;

  get size(): number {
    return this.#peaks.length;
  }

  /** Samples arrive in order of time. */
  add({ at, value }: Sample): void {
    const [a, b] = this.#before;
    this.#before = b === undefined ? [...this.#before, value] : [b, value];
    if (a === undefined || b === undefined) return;
    const level = a + b + value - Math.max(a, b, value) - Math.min(a, b, value);
    const last = this.#peaks.at(-1);
    if (last !== undefined && this.#open > 0 && this.#open < this.#width) {
      this.#peaks[this.#peaks.length - 1] = { at, value: Math.max(last.value, level) };
      this.#open++;
      return;
    }
    this.#peaks.push({ at, value: level });
    this.#open = 1;
    if (this.#peaks.length > PEAKS_MAX) this.#merge();
  }

  /** The highest level before `end`; -Infinity when there is none. */
  before(end: Millis): number {
    let highest = -Infinity;
    for (const { at, value } of this.#peaks) {
      if (at >= end) break;
      highest = Math.max(highest, value);
    }
    return highest;
  }

  /** peaks.1. */
  #merge(): void {
    const merged: Sample[] = [];
    for (let i = 0; i < this.#peaks.length; i += 2) {
      const [early, late] = this.#peaks.slice(i, i + 2);
      if (early === undefined) break;
      merged.push({
        at: late?.at ?? early.at,
        value: Math.max(early.value, late?.value ?? -Infinity),
      });
    }
    this.#peaks = merged;
    this.#width *= 2;
    this.#open = 1; // PEAKS_MAX + 1 is odd, so the last peak is half full.
  }
}
