// Waits: the waits of an agent, which end when the agent stops.
//
// Owns: the timers of the waits under way. Does not own: what happens after a wait.
//
//   waits.1. Every wait ends once: after its time, or when all waits end. From then on a new wait
//        ends at once, so a loop that waits between its attempts ends too.

import type { Clock } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";

export class Waits {
  readonly #clock: Pick<Clock, "after">;
  /** Ends one wait each. */
  readonly #ends = new Set<() => void>();
  #areOver = false;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  get areOver(): boolean {
    return this.#areOver;
  }

  /** Resolves true after `ms`, false when the waits ended before. Never rejects. */
  for(ms: Millis): Promise<boolean> {
    if (this.#areOver) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = this.#clock.after(ms, () => {
        this.#ends.delete(end);
        resolve(true);
      });
      const end = (): void => {
        timer.cancel();
        resolve(false);
      };
      this.#ends.add(end);
    });
  }

  end(): void {
    this.#areOver = true;
    for (const end of this.#ends) end();
    this.#ends.clear();
  }
}
