// WebClock: time and randomness from functions that browsers and Node share.

import type { Clock, Random, Timer } from "#shared/ports/clock.ts";

/** setTimeout fires at once beyond 2^31 ms. An early wake-up is harmless. */
const DELAY_MS_MAX = 3_600_000;

export const webClock: Pick<Clock, "now" | "monotonic" | "after"> = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs: number, run: () => void): Timer {
    const timer = setTimeout(run, Math.min(Math.max(delayMs, 0), DELAY_MS_MAX));
    return { cancel: () => clearTimeout(timer) };
  },
};

export const webRandom: Random = {
  next32: () => crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
};
