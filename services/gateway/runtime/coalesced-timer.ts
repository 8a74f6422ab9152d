// CoalescedTimer: one timer for a core that says when it wants to be woken.
//
// The wish moves with nearly every step, mostly later. So an armed timer is kept when it would fire
// too early (the core then does nothing and the next wish is armed), and replaced only when it
// would fire too late.

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

  /** `at` on the monotonic scale; undefined: no wish. */
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
