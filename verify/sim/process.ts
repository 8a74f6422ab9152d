// Process: one simulated process: what runs in it runs only while it lives and is not stopped.
//
// Owns: its clock (skew included), its randomness, whether it lives, what waits while it is stopped.
// Does not own: its program, its connections.
//
//   process.1. A dead process runs nothing, whatever still comes for it.
//   process.2. A stopped process (SIGSTOP) runs nothing until it goes on; then all that came meanwhile
//        runs in the order in which it came. A periodic timer that was due often has fired once.
//   process.3. Whatever throws is a finding, never lost: a process of ours has no reason to throw.

import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import type { Scheduler } from "./scheduler.ts";

export type ProcessKind = "gateway" | "room" | "persistence" | "client";

/** All clocks begin here: 2026-11-24, and it matters to nobody. */
export const EPOCH_MS = 1_795_500_000_000;

export interface ProcessOptions {
  readonly id: ProcessId;
  readonly kind: ProcessKind;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly skewMs: number;
  readonly onThrow: (process: SimProcess, error: unknown) => void;
}

export class SimProcess {
  readonly id: ProcessId;
  readonly kind: ProcessKind;
  readonly random: Random;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onThrow: ProcessOptions["onThrow"];
  readonly #onDeath: (() => void)[] = [];
  #skewMs: number;
  #isAlive = true;
  #isStopped = false;
  #stops = 0;
  #waiting: (() => void)[] = [];

  constructor(options: ProcessOptions) {
    this.id = options.id;
    this.kind = options.kind;
    this.random = options.random;
    this.#scheduler = options.scheduler;
    this.#skewMs = options.skewMs;
    this.#onThrow = options.onThrow;
    this.clock = this.#createClock();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Runs something that came for this process from outside, or from its timers. */
  run(task: () => void): void {
    if (!this.#isAlive) return; // process.1
    if (this.#isStopped) {
      this.#waiting.push(task); // process.2
      return;
    }
    try {
      task();
    } catch (error: unknown) {
      this.#onThrow(this, error); // process.3
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#stops++;
  }

  /** Each task is an event of its own; what comes meanwhile comes after them. */
  goOn(stop: number = this.#stops): void {
    if (!this.#isStopped || stop !== this.#stops) return;
    this.#isStopped = false;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.run(next);
    this.#isStopped = true;
    this.#scheduler.after(0, () => this.goOn(stop));
  }

  /** kill -9, or its end after it left in good order. */
  die(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#waiting = [];
    for (const tell of this.#onDeath) tell();
  }

  onDeath(tell: () => void): void {
    this.#onDeath.push(tell);
  }

  /** Its wall clock is set, by hand or by NTP (clock.1). */
  jump(byMs: number): void {
    this.#skewMs += byMs;
  }

  #createClock(): Clock {
    const scheduler = this.#scheduler;
    return {
      now: () => Math.floor(EPOCH_MS + scheduler.now + this.#skewMs),
      monotonic: () => scheduler.now,
      after: (delayMs, run) => this.#arm(delayMs, undefined, run),
      every: (periodMs, run) => this.#arm(periodMs, periodMs, run),
      soon: (run) => void scheduler.after(0, () => this.run(run)),
    };
  }

  #arm(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    let isCancelled = false;
    const fire = (): void => {
      if (isCancelled) return;
      if (periodMs !== undefined) planned = this.#scheduler.after(periodMs, due);
      run();
    };
    const due = (): void => this.run(fire);
    let planned = this.#scheduler.after(delayMs, due);
    return {
      cancel: () => {
        isCancelled = true;
        planned.run = undefined;
      },
    };
  }
}
