// PeriodicWork: everything that a process does again and again, on one timer.
//
// An idle process costs what its wake-ups cost: each one begins with cold caches, here and in every
// process that gets a message because of it. So the work of a process runs at the multiples of its
// period on the clock of the machine. Periods that divide each other then share their wake-ups, and
// so do all processes of the machine: the beat of one arrives while the others are awake, and NATS
// passes all of them on at once. Machines differ in that clock, so a large cluster beats evenly.
//
// Owns: when each work runs, how late the timer is. Does not own: the timer, the work.
//
//   periodic-work.1. Between two runs of a work lies its period. A new work comes closer to the
//        multiples with each run, by at most STEP_PART of its period. A busy or paused process runs
//        a work later, and once for all missed runs. A run that is later than LATE_MS is the origin
//        of the next one, so its distance from the one before shows the lateness.
//   periodic-work.2. Work that was cancelled does not run, also when it is due in the same turn.
//   periodic-work.3. Work that throws ends the process like a timer of its own, and does not stop
//        the rest of the turn.
//   periodic-work.4. The timer exists only while there is work: it keeps the process alive.
//   periodic-work.5. Each turn reports how late it is: an iteration of the event loop took so long.

import type { Clock, Timer } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";

const STEP_PART = 1 / 4;
/** An idle process is late by some milliseconds. At most STEP_PART of a period. */
const LATE_MS = 20;
/** Fractions of a millisecond are lost in sums. */
const ROUNDED_MS = 1;

export interface PeriodicWorkOptions {
  /** How far the clock of the machine is ahead of `monotonic`. */
  readonly machineAheadMs?: Millis;
  /** periodic-work.5. */
  readonly onTurn?: (lateMs: Millis) => void;
}

interface Work {
  readonly periodMs: Millis;
  readonly run: () => void;
  dueAt: Millis;
}

export class PeriodicWork {
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #machineAheadMs: Millis;
  readonly #onTurn: (lateMs: Millis) => void;
  readonly #works = new Set<Work>();
  #timer: Timer | undefined;
  /** When the timer fires; Infinity without one. */
  #timerAt: Millis = Infinity;

  constructor(clock: Pick<Clock, "monotonic" | "after">, options: PeriodicWorkOptions = {}) {
    this.#clock = clock;
    this.#machineAheadMs = options.machineAheadMs ?? 0;
    this.#onTurn = options.onTurn ?? ((): void => undefined);
  }

  add(periodMs: Millis, run: () => void): Timer {
    const dueAt = this.#nextAfter(this.#clock.monotonic(), periodMs);
    const work: Work = { periodMs, run, dueAt };
    this.#works.add(work);
    this.#arm(dueAt);
    return { cancel: () => this.#remove(work) };
  }

  #remove(work: Work): void {
    if (!this.#works.delete(work) || this.#works.size > 0) return;
    this.#timer?.cancel(); // periodic-work.4
    this.#timerAt = Infinity;
  }

  /** One period after `at`, or up to STEP_PART of it less, towards a multiple. */
  #nextAfter(at: Millis, periodMs: Millis): Millis {
    const next = at + periodMs;
    const behind = (next + this.#machineAheadMs) % periodMs;
    return periodMs - behind < ROUNDED_MS ? next : next - Math.min(behind, periodMs * STEP_PART);
  }

  #arm(at: Millis): void {
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.#clock.after(at - this.#clock.monotonic(), () => this.#onTimer());
  }

  #onTimer(): void {
    const now = this.#clock.monotonic();
    this.#onTurn(Math.max(0, now - this.#timerAt));
    this.#timerAt = Infinity;
    const due: Work[] = [];
    let next = Infinity;
    for (const work of this.#works) {
      const { dueAt, periodMs } = work;
      if (dueAt - ROUNDED_MS < now) {
        due.push(work);
        const isLate = now - dueAt > Math.min(LATE_MS, periodMs * STEP_PART);
        work.dueAt = isLate ? now + periodMs : this.#nextAfter(dueAt, periodMs);
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
