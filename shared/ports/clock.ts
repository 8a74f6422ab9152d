// Clock: time and timers as a port, so that the simulation can control both.
//
//   clock.1. `now` may jump either way (it is a wall clock); `monotonic` never goes back.
//   clock.2. A timer fires once, not before its delay on the monotonic scale. `cancel` is
//        idempotent.
//   clock.3. `soon` runs after everything that is ready now was handled: one `soon` sees the input
//        of all sockets of one round of the event loop. Calls run in order.

import type { Millis } from "../protocol/ids.ts";

export interface Timer {
  cancel(): void;
}

export interface Clock {
  now(): Millis;
  monotonic(): Millis;
  after(delayMs: number, run: () => void): Timer;
  every(periodMs: number, run: () => void): Timer;
  soon(run: () => void): void;
}

/** Uniform random bits as a port: 32 at a time. */
export interface Random {
  /** A whole number in [0, 2^32). */
  next32(): number;
}
