// Fetches: which ranges of one room are being read elsewhere, so that no range is read twice.
//
//   fetches.1. At most one fetch covers a number; readers of the same lines share it.
//   fetches.2. A fetch that brought nothing is tried again after 100 ms, 200 ms, … 2 s, while wanted.
//   fetches.3. At most `max` at a time; the repair of a hole passes, for everybody waits for it.

import type { Millis, Seq } from "#shared/protocol/ids.ts";
import { FETCH_RETRY_BASE_MS, FETCH_RETRY_CAP_MS } from "./bounds.ts";

export interface Range {
  readonly first: Seq;
  readonly last: Seq;
}

interface Fetch extends Range {
  tries: number;
  /** Infinity while it runs. */
  retryAt: Millis;
}

export class Fetches {
  readonly #max: number;
  readonly #byFirst = new Map<Seq, Fetch>();

  constructor(max: number) {
    this.#max = max;
  }

  /** When the next one is to be tried again; Infinity when none is. */
  get wakeAt(): Millis {
    let at = Infinity;
    for (const { retryAt } of this.#byFirst.values()) at = Math.min(at, retryAt);
    return at;
  }

  /** The range to read now; undefined when one under way covers `first` or too many are. */
  start(range: Range, isHole: boolean): Range | undefined {
    for (const fetch of this.#byFirst.values()) {
      if (fetch.first <= range.first && range.first <= fetch.last) return undefined; // fetches.1
    }
    if (this.#byFirst.size >= this.#max && !isHole) return undefined; // fetches.3
    this.#byFirst.set(range.first, { ...range, tries: 0, retryAt: Infinity });
    return range;
  }

  /** The fetch under way that covers `seq`; not one that waits to be tried again. */
  running(seq: Seq): Range | undefined {
    for (const fetch of this.#byFirst.values()) {
      if (fetch.first <= seq && seq <= fetch.last && fetch.retryAt === Infinity) return fetch;
    }
    return undefined;
  }

  succeed(first: Seq): void {
    this.#byFirst.delete(first);
  }

  fail(first: Seq, now: Millis): void {
    const fetch = this.#byFirst.get(first);
    if (fetch === undefined) return;
    const delay = FETCH_RETRY_BASE_MS * 2 ** Math.min(fetch.tries, 10);
    fetch.tries++;
    fetch.retryAt = now + Math.min(delay, FETCH_RETRY_CAP_MS); // fetches.2
  }

  /** The ranges to try again now; those that nobody wants any more are forgotten. */
  due(now: Millis, isWanted: (range: Range) => boolean): Range[] {
    const again: Range[] = [];
    for (const fetch of this.#byFirst.values()) {
      if (fetch.retryAt > now) continue;
      if (isWanted(fetch)) {
        fetch.retryAt = Infinity;
        again.push({ first: fetch.first, last: fetch.last });
      } else this.#byFirst.delete(fetch.first);
    }
    return again;
  }
}
