// GCRA: the generic cell rate algorithm. One number per key is the time when its bucket is empty
// again.
//
//   gcra.1. Over any span T, at most burst + rate × T requests pass.
//   gcra.2. The table holds at most `keysMax` keys. When it is full, it removes first the keys
//        whose time has passed, then the key that was used least recently. A removed key starts
//        with a full burst.
//   gcra.3. `now` is monotonic. With a wall clock that jumps back, keys would wait for hours.

import type { Millis } from "../protocol/ids.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * How early a request may be, in ms. Intervals such as 1,000 / 6 are not exact and their sum
 * drifts; without this slack the last request of a burst is refused.
 */
const SLACK_MS = 0.01;

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly afterMs: number };

/** The same for one key. The caller passes the rate with each call, so that the rate may change. */
export class GcraBucket {
  #arrival: Millis = 0;

  /** 0 when `cost` passes now, else the wait in ms. */
  waitMs(rate: Rate, now: Millis, cost = 1): Millis {
    return Math.max(0, Math.ceil(early(this.#next(rate, now, cost), rate, now)));
  }

  /** Charges `cost`, whether it passes or not. */
  charge(rate: Rate, now: Millis, cost = 1): void {
    this.#arrival = this.#next(rate, now, cost);
  }

  #next({ perSecond }: Rate, now: Millis, cost: number): Millis {
    return Math.max(this.#arrival, now) + (1_000 / perSecond) * cost;
  }
}

/**
 * How many ms too early a request is whose bucket is empty again at `next`; ≤ 0 when the request
 * passes.
 */
function early(next: Millis, { perSecond, burst }: Rate, now: Millis): Millis {
  return next - now - (1_000 / perSecond) * burst - SLACK_MS;
}

export class Gcra {
  #rate: Rate;
  readonly #keysMax: number;
  /** key → theoretical arrival time; insertion order is the order of last use. */
  readonly #arrival = new Map<string, Millis>();

  constructor(rate: Rate, keysMax: number) {
    this.#rate = rate;
    this.#keysMax = keysMax;
  }

  /** 0 when a request would pass now, else the wait in ms. Charges nothing. */
  waitMs(key: string, now: Millis): Millis {
    return Math.max(0, Math.ceil(early(this.#next(key, now, 1), this.#rate, now)));
  }

  take(key: string, now: Millis, cost = 1): Verdict {
    const next = this.#next(key, now, cost);
    const tooEarly = early(next, this.#rate, now);
    if (tooEarly > 0) return { ok: false, afterMs: Math.ceil(tooEarly) };
    this.#arrival.delete(key);
    if (this.#arrival.size >= this.#keysMax) this.#makeRoom(now);
    this.#arrival.set(key, next);
    return { ok: true };
  }

  get rate(): Rate {
    return this.#rate;
  }

  /** Applies from now on. What the keys have used is kept. */
  set rate(rate: Rate) {
    this.#rate = rate;
  }

  get size(): number {
    return this.#arrival.size;
  }

  #next(key: string, now: Millis, cost: number): Millis {
    return Math.max(this.#arrival.get(key) ?? now, now) + (1_000 / this.#rate.perSecond) * cost;
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
