// CoalescedTimer: one timer for the wake-up time of a core.
//
// The wake-up time changes with nearly every step and mostly moves later. The timer is replaced
// only when it would fire too late. When it fires too early, the core does nothing and the next
// time is armed.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";

export class CoalescedTimer {
  readonly #clock: Clock;
  readonly #run: () => void;
  #armed: { readonly at: Millis; readonly timer: Timer } | undefined;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** `at`: monotonic time; undefined: the core needs no wake-up. */
  set(at: Millis | undefined): void {
    if (at === undefined || (this.#armed !== undefined && this.#armed.at <= at)) return;
    this.#armed?.timer.cancel();
    const timer = this.#clock.after(Math.max(0, at - this.#clock.monotonic()), () => {
      this.#armed = undefined;
      this.#run();
    });
    this.#armed = { at, timer };
  }

  cancel(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
  }
}
