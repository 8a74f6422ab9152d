// ReceiverHealth: whether a receiver answers, judged by the deliveries of one subscription.
//
//   receiver-health.1. After FAILURES_MAX failures in a row a receiver is down. Then one event is
//        tried for all, at growing intervals; any success ends it.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { FAILURES_MAX, PROBE } from "./bounds.ts";

export class ReceiverHealth {
  readonly #random: Random;
  #failures = 0;
  #probeAt: Millis = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get isDown(): boolean {
    return this.#failures >= FAILURES_MAX;
  }

  /** The wait until the next event may be tried; 0 while the receiver is not down. */
  waitMs(now: Millis): number {
    return this.isDown ? Math.max(0, this.#probeAt - now) : 0;
  }

  /** True when it ends a time in which the receiver was down. */
  onSuccess(): boolean {
    const wasDown = this.isDown;
    this.#failures = 0;
    return wasDown;
  }

  onFailure(now: Millis): void {
    this.#failures++;
    this.#probeAt = now + 250 + fullJitter(this.#failures - FAILURES_MAX, PROBE, this.#random);
  }
}
