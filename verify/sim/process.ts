// SimulatedProcess: one process of a run. Its code runs only until it exits and only while it is
// not paused.
//
// Owns: the process' clock with its skew, its randomness, its state, and the tasks that wait during
// a pause. Does not own: the program, the connections.
//
//   process.1. A process that has exited runs nothing, whatever arrives for it later.
//   process.2. A paused process (SIGSTOP) runs nothing until it resumes. Then all tasks that
//              arrived in the meantime run in the order of their arrival. A periodic timer that was
//              due several times fires once.
//   process.3. An exception is a finding: our processes have no reason to throw.

import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import type { Scheduler } from "./scheduler.ts";

export type ProcessKind = "gateway" | "room" | "persistence" | "client";

/** The wall-clock time at virtual time 0. Any date would do. */
export const EPOCH_MS = 1_795_500_000_000;

export interface ProcessOptions {
  readonly id: ProcessId;
  readonly kind: ProcessKind;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly skewMs: number;
  readonly onThrow: (process: SimulatedProcess, error: unknown) => void;
}

export class SimulatedProcess {
  readonly id: ProcessId;
  readonly kind: ProcessKind;
  readonly random: Random;
  readonly clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onThrow: ProcessOptions["onThrow"];
  readonly #exitListeners: (() => void)[] = [];
  #skewMs: number;
  #isRunning = true;
  #isPaused = false;
  #pauses = 0;
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

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Runs a task that arrived from outside or from one of the process' timers. */
  run(task: () => void): void {
    if (!this.#isRunning) return; // process.1
    if (this.#isPaused) {
      this.#waiting.push(task); // process.2
      return;
    }
    try {
      task();
    } catch (error: unknown) {
      this.#onThrow(this, error); // process.3
    }
  }

  pause(): void {
    this.#isPaused = true;
    this.#pauses++;
  }

  /** Each waiting task becomes its own event. Tasks that arrive in the meantime run after them. */
  resume(pause: number = this.#pauses): void {
    if (!this.#isPaused || pause !== this.#pauses) return;
    this.#isPaused = false;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.run(next);
    this.#isPaused = true;
    this.#scheduler.after(0, () => this.resume(pause));
  }

  /** Ends the process: by kill -9, or at the end of its own shutdown. */
  exit(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#waiting = [];
    for (const notify of this.#exitListeners) notify();
  }

  onExit(notify: () => void): void {
    this.#exitListeners.push(notify);
  }

  /** Sets the wall clock forward or back, as an operator or NTP does (clock.1). */
  adjustClock(byMs: number): void {
    this.#skewMs += byMs;
  }

  #createClock(): Clock {
    const scheduler = this.#scheduler;
    return {
      now: () => Math.floor(EPOCH_MS + scheduler.now + this.#skewMs),
      monotonic: () => scheduler.now,
      after: (delayMs, run) => this.#createTimer(delayMs, undefined, run),
      every: (periodMs, run) => this.#createTimer(periodMs, periodMs, run),
      soon: (run) => void scheduler.after(0, () => this.run(run)),
    };
  }

  #createTimer(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    let isCancelled = false;
    const fire = (): void => {
      if (isCancelled) return;
      if (periodMs !== undefined) scheduled = this.#scheduler.after(periodMs, due);
      run();
    };
    const due = (): void => this.run(fire);
    let scheduled = this.#scheduler.after(delayMs, due);
    return {
      cancel: () => {
        isCancelled = true;
        scheduled.run = undefined;
      },
    };
  }
}
