// Schedule: an open loop. Send times come from a plan, not from answers, and lateness is measured.

import { Histogram } from "./histogram.ts";

export interface Slip {
  /** Delay of sends after their planned times, in ms. */
  readonly p99Ms: number;
  readonly worstMs: number;
}

export interface Plan {
  readonly count: number;
  readonly perSecond: number;
}

export interface Sender {
  send(i: number, plannedAt: number): void;
  /** Called after all sends that were due at the same time. */
  sent?(): void;
}

/**
 * Calls `send(i, plannedAt)` `count` times at `perSecond`, spread evenly, for i = 0, 1, 2 …
 * `plannedAt` is on performance.now()'s scale. Spins with setImmediate: timers are too coarse.
 */
export function openLoop({ count, perSecond }: Plan, sender: Sender): Promise<Slip> {
  const startAt = performance.now() + 5;
  const gapMs = 1_000 / perSecond;
  const slips = new Histogram();
  let i = 0;
  let worstMs = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      const now = performance.now();
      const before = i;
      for (; i < count; i++) {
        const plannedAt = startAt + i * gapMs;
        if (plannedAt > now) break;
        worstMs = Math.max(worstMs, now - plannedAt);
        slips.add(now - plannedAt);
        sender.send(i, plannedAt);
      }
      if (i > before) sender.sent?.();
      if (i >= count) resolve({ p99Ms: slips.percentile(0.99), worstMs });
      // A timer while the next send is far away leaves the generator's core to its readers.
      else if (startAt + i * gapMs - now > 3) setTimeout(turn, 1);
      else setImmediate(turn);
    };
    turn();
  });
}
