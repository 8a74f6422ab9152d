// Backoff: full jitter, `random × min(cap, base × 2^n)`, which spreads the retries of many clients
// over time.

import type { Random } from "../ports/clock.ts";

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

/** The wait before attempt `n` (0, 1, 2, …), in ms. */
export function fullJitter(n: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.capMs, options.baseMs * 2 ** Math.min(n, 30));
  return Math.floor((random.next32() / 0x1_0000_0000) * ceiling);
}
