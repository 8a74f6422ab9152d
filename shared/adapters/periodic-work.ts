// PeriodicWork: everything that a process does again and again, on one timer.
//
// An idle process costs what its wake-ups cost: each one begins with cold caches, here and in every
// process that gets a message because of it. So work that is almost due runs together with work
// that is due, and their messages leave in one write. Periods that divide each other stay together
// from then on, because the next run counts from the last one.
//
// Owns: when each work runs. Does not own: the timer, the work.
//
//   periodic-work.1. Between two runs of a work lies its period, or up to an EARLY_PART of it less.
//        A busy or paused process runs a work later, and once for all missed runs.
//   periodic-work.2. Work that was cancelled does not run, also when it is due in the same turn.
//   periodic-work.3. Work that throws ends the process like a timer of its own, and does not stop
//        the rest of the turn.
//   periodic-work.4. The timer exists only while there is work: it keeps the process alive.

import type { Clock, Timer } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";

const EARLY_PART = 1 / 4;

interface Work {
  readonly periodMs: Millis;
  readonly run: () => void;
  dueAt: Millis;
}

export class PeriodicWork {
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #works = new Set<Work>();
  #timer: Timer | undefined;
  /** When the timer fires; Infinity without one. */
  #timerAt: Millis = Infinity;

  constructor(clock: Pick<Clock, "monotonic" | "after">) {
    this.#clock = clock;
  }

  add(periodMs: Millis, run: () => void): Timer {
    const work: Work = { periodMs, run, dueAt: this.#clock.monotonic() + periodMs };
    this.#works.add(work);
    this.#arm(work.dueAt);
    return { cancel: () => this.#remove(work) };
  }

  #remove(work: Work): void {
    if (!this.#works.delete(work) || this.#works.size > 0) return;
    this.#timer?.cancel(); // periodic-work.4
    this.#timerAt = Infinity;
  }

  #arm(at: Millis): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.after(at - this.#clock.monotonic(), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    const due: Work[] = [];
    let next = Infinity;
    for (const work of this.#works) {
      if (work.dueAt - work.periodMs * EARLY_PART <= now) {
        due.push(work);
        work.dueAt = now + work.periodMs;
      }
      next = Math.min(next, work.dueAt);
    }
    if (next !== Infinity) this.#arm(next); // Before the work, which may take long.
    for (const work of due) if (this.#works.has(work)) runGuarded(work.run); // periodic-work.2
  }
}

/** periodic-work.3. */
function runGuarded(run: () => void): void {
  try {
    run();
  } catch (error: unknown) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
