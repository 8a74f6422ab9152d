// FakeClock: time that moves only when a test advances it. Timers fire in the order of their time,
// and timers of one moment in the order in which they were armed.

import type { Clock, Timer } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";

interface Armed {
  due: Millis;
  readonly order: number;
  readonly periodMs: number | undefined;
  readonly run: () => void;
}

/** Runs of `soon` within one turn; more than this is an endless loop. */
const SOON_MAX = 1_000_000;

export class FakeClock implements Clock {
  #monotonic: Millis = 0;
  #offset: Millis;
  #order = 0;
  readonly #armed = new Set<Armed>();
  #soon: (() => void)[] = [];

  constructor(now: Millis = 1_795_500_000_000) {
    this.#offset = now;
  }

  now(): Millis {
    return this.#offset + this.#monotonic;
  }

  monotonic(): Millis {
    return this.#monotonic;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#arm(delayMs, undefined, run);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#arm(periodMs, periodMs, run);
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Pending timers, for tests that expect all of them to be cancelled. */
  get armed(): number {
    return this.#armed.size;
  }

  /** Time passes while the process is paused: nothing runs. */
  stall(ms: number): void {
    this.#monotonic += ms;
  }

  /** Moves the wall clock alone, either way (clock.1). */
  jump(byMs: number): void {
    this.#offset += byMs;
  }

  /**
   * Runs everything that is due within the next `ms`, each at its own time; `soon` before any timer
   * (clock.3).
   */
  advance(ms: number): void {
    const end = this.#monotonic + ms;
    this.#runSoon();
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.due > end) break;
      this.#monotonic = Math.max(this.#monotonic, next.due);
      if (next.periodMs === undefined) this.#armed.delete(next);
      else next.due += next.periodMs;
      next.run();
      this.#runSoon();
    }
    this.#monotonic = end;
  }

  #arm(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const due = this.#monotonic + Math.max(0, delayMs);
    const armed: Armed = { due, order: this.#order++, periodMs, run };
    this.#armed.add(armed);
    return { cancel: () => void this.#armed.delete(armed) };
  }

  #earliest(): Armed | undefined {
    let best: Armed | undefined;
    for (const armed of this.#armed) {
      if (best === undefined || armed.due < best.due) best = armed;
      else if (armed.due === best.due && armed.order < best.order) best = armed;
    }
    return best;
  }

  #runSoon(): void {
    for (let runs = 0; this.#soon.length > 0;) {
      const batch = this.#soon;
      this.#soon = [];
      for (const run of batch) {
        if (++runs > SOON_MAX) throw new Error("soon schedules itself without end");
        run();
      }
    }
  }
}
