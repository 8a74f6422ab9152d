// Fetches: the ranges of one room that are being read from the owner or the archive.
//
//   fetches.1. At most one fetch covers a sequence number. Readers of the same lines share it.
//   fetches.2. A fetch that returned nothing is retried after 100 ms, 200 ms, … 2 s, while a member
//        needs it.
//   fetches.3. At most `max` fetches run at a time. A fetch of a gap always runs, because all
//        members wait for it.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Millis, Seq } from "#shared/protocol/ids.ts";
import { FETCH_RETRY_BASE_MS, FETCH_RETRY_CAP_MS } from "./bounds.ts";

export interface Range {
  readonly first: Seq;
  readonly last: Seq;
}

interface Fetch extends Range {
  tries: number;
  /** Infinity while the fetch runs. */
  retryAt: Millis;
}

export class Fetches {
  readonly #max: number;
  readonly #byFirst = new LazyMap<Seq, Fetch>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The time of the next retry; Infinity when no fetch waits for one. */
  get wakeAt(): Millis {
    let at = Infinity;
    for (const { retryAt } of this.#byFirst.values()) at = Math.min(at, retryAt);
    return at;
  }

  /** The range to read now. Undefined: a fetch covers `first` already, or too many run. */
  start(range: Range, isHole: boolean): Range | undefined {
    for (const fetch of this.#byFirst.values()) {
      if (fetch.first <= range.first && range.first <= fetch.last) return undefined; // fetches.1
    }
    if (this.#byFirst.size >= this.#max && !isHole) return undefined; // fetches.3
    this.#byFirst.set(range.first, { ...range, tries: 0, retryAt: Infinity });
    return range;
  }

  /** The running fetch that covers `seq`. A fetch that waits for its retry does not count. */
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

  /** The ranges to retry now. Ranges that no member needs are removed. */
  due(now: Millis, isNeeded: (range: Range) => boolean): Range[] {
    const again: Range[] = [];
    for (const fetch of this.#byFirst.values()) {
      if (fetch.retryAt > now) continue;
      if (isNeeded(fetch)) {
        fetch.retryAt = Infinity;
        again.push({ first: fetch.first, last: fetch.last });
      } else this.#byFirst.delete(fetch.first);
    }
    return again;
  }
}
