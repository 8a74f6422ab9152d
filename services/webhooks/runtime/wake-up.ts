// WakeUp: wakes the runners when a watermark moves, because the archive has new events then.
//
//   wake-up.1. At most one wake in WAKE_MS: each costs every subscription a few statements. A lost
//        watermark does no harm, because the runners look by themselves.

import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import { subjects } from "#shared/protocol/subjects.ts";

const WAKE_MS = 50;

export class WakeUp {
  readonly #bus: Pick<Bus, "subscribe">;
  readonly #clock: Pick<Clock, "after">;
  readonly #wake: () => void;
  #watermarks: Subscription | undefined;
  #timer: Timer | undefined;
  readonly #newest = new Map<string, string>();

  constructor(bus: Pick<Bus, "subscribe">, clock: Pick<Clock, "after">, wake: () => void) {
    this.#bus = bus;
    this.#clock = clock;
    this.#wake = wake;
  }

  start(): void {
    this.#watermarks = this.#bus.subscribe(subjects.watermarks, ({ subject, data }) => {
      // Persistence repeats a watermark that did not move.
      const text = new TextDecoder().decode(data);
      if (this.#newest.get(subject) === text) return;
      this.#newest.set(subject, text);
      this.#timer ??= this.#clock.after(WAKE_MS, () => {
        this.#timer = undefined;
        this.#wake();
      });
    });
  }

  stop(): void {
    this.#watermarks?.unsubscribe();
    this.#timer?.cancel();
  }
}
