// GCRA: the generic cell rate algorithm. One number per key says when its bucket is empty again.
//
//   G1. Over any span T, at most burst + rate × T requests pass.
//   G2. The table holds at most `keysMax` keys; when full, keys whose time has passed go first,
//       then the oldest one (it was the least active). A forgotten key starts with a full burst.
//   G3. `now` is monotonic; with a wall clock that jumps back, keys would wait for hours.

import type { Millis } from "../protocol/ids.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * By how much a request may be early. Intervals such as 1,000 / 6 are not exact,
 * their sum drifts, and without this the last request of a burst is refused.
 */
const SLACK_MS = 0.01;

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly afterMs: number };

export class Gcra {
  #rate: Rate;
  readonly #keysMax: number;
  /** key → theoretical arrival time; insertion order is order of last use. */
  readonly #arrival = new Map<string, Millis>();

  constructor(rate: Rate, keysMax: number) {
    this.#rate = rate;
    this.#keysMax = keysMax;
  }

  take(key: string, now: Millis, cost = 1): Verdict {
    const interval = 1_000 / this.#rate.perSecond;
    const tolerance = interval * this.#rate.burst;
    const arrival = Math.max(this.#arrival.get(key) ?? now, now);
    const next = arrival + interval * cost;
    const early = next - now - tolerance - SLACK_MS;
    if (early > 0) return { ok: false, afterMs: Math.ceil(early) };
    this.#arrival.delete(key);
    if (this.#arrival.size >= this.#keysMax) this.#makeRoom(now);
    this.#arrival.set(key, next);
    return { ok: true };
  }

  /** From now on; what keys have used up stays. */
  set rate(rate: Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#arrival.size;
  }

  #makeRoom(now: Millis): void {
    for (const [key, arrival] of this.#arrival) {
      if (arrival > now) break;
      this.#arrival.delete(key);
    }
    for (const key of this.#arrival.keys()) {
      if (this.#arrival.size < this.#keysMax) break;
      this.#arrival.delete(key);
    }
  }
}
