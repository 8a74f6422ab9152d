// VirtualTime: runs a scheduler while a test awaits promises of the simulated ports.
//
// Owns: the loop that advances the scheduler, and the clock of the test's waits (wait.3). Does not
// own: the simulated parts that a test creates on it.
//
//   virtual-time.1. Virtual time advances only here. A step of the test takes no virtual time, and
//                   a wait of 15 s takes a fraction of that in real time.

import { waitOn } from "#shared/testing/wait.ts";
import { withoutFaults } from "../conditions.ts";
import type { Conditions } from "../conditions.ts";
import { Findings } from "../findings.ts";
import { SimulatedProcess } from "../process.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { Scheduler } from "../scheduler.ts";
import { SeededRng } from "../seeded-rng.ts";
import { Trace } from "../trace.ts";

/** How far virtual time advances between two looks at whether the test has ended. */
const STEP_MS = 5;
const SEED = 1;

export interface SimulatedParts {
  readonly scheduler: Scheduler;
  readonly conditions: Conditions;
  readonly findings: Findings;
  readonly trace: Trace;
  readonly rng: SeededRng;
}

export class VirtualTime {
  readonly scheduler = new Scheduler();
  /** What simulated ports need, without injected faults. */
  readonly parts: SimulatedParts = {
    scheduler: this.scheduler,
    conditions: withoutFaults(),
    findings: new Findings(),
    trace: new Trace(() => this.scheduler.now),
    rng: new SeededRng(SEED, "contract"),
  };
  readonly #loop: Promise<void>;
  #processes = 0;
  #isOver = false;

  constructor() {
    const { scheduler } = this;
    waitOn({
      monotonic: () => scheduler.now,
      after: (delayMs, run) => {
        const event = scheduler.after(delayMs, run);
        return { cancel: () => (event.run = undefined) };
      },
    });
    this.#loop = this.#run();
  }

  createProcess(): SimulatedProcess {
    const id = `process-${++this.#processes}` as ProcessId;
    return new SimulatedProcess({
      id,
      kind: "gateway",
      scheduler: this.scheduler,
      random: new SeededRng(SEED, id).random,
      skewMs: 0,
      onThrow: (_, error) => this.parts.findings.violation("exception", String(error)),
    });
  }

  /** Stops virtual time. Rejects with the error of an event that threw. */
  async stop(): Promise<void> {
    this.#isOver = true;
    waitOn();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { scheduler } = this;
    while (!this.#isOver) await scheduler.runUntil(scheduler.now + STEP_MS, () => this.#isOver);
  }
}
