// Schedule: an open loop. Send times come from a plan, not from answers; a late generator is seen.

export interface Slip {
  /** The worst lateness of a send behind its planned time, in ms. */
  readonly worstMs: number;
  readonly sent: number;
}

/**
 * Calls `send(i, plannedAt)` `count` times at `perSecond`, spread evenly, for i = 0, 1, 2 …
 * `plannedAt` is on performance.now()'s scale. Spins with setImmediate: timers are too coarse.
 */
export function openLoop(
  options: { readonly count: number; readonly perSecond: number },
  send: (i: number, plannedAt: number) => void,
): Promise<Slip> {
  const { count, perSecond } = options;
  const startAt = performance.now() + 5;
  const gapMs = 1_000 / perSecond;
  let i = 0;
  let worstMs = 0;
  return new Promise((resolve) => {
    const turn = (): void => {
      const now = performance.now();
      for (; i < count; i++) {
        const plannedAt = startAt + i * gapMs;
        if (plannedAt > now) break;
        worstMs = Math.max(worstMs, now - plannedAt);
        send(i, plannedAt);
      }
      if (i >= count) resolve({ worstMs, sent: count });
      // Sleeping when the next send is far keeps the generator's core free for its readers.
      else if (startAt + i * gapMs - now > 3) setTimeout(turn, 1);
      else setImmediate(turn);
    };
    turn();
  });
}
