// Pipe: one direction of a connection. Items come out later than they went in, in order.
//
// Owns: delay, order, and the items that a blocked direction holds. Does not own: loss, the meaning
// of an item.
//
//   pipe.1. Items with one key come out in the order in which they went in. Items with different
//           keys do so too, unless the conditions reorder them.
//   pipe.2. A barrier comes out after all earlier items and before all later ones: NATS handles
//           SUB, UNSUB and PING in the order of the connection (ports/bus.5).
//   pipe.3. A blocked pipe releases nothing. After `unblock` the held items come out, as TCP
//           retransmits them. `reset` discards all items.

import type { Millis } from "#shared/protocol/ids.ts";
import type { Conditions } from "./conditions.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SeededRng } from "./seeded-rng.ts";

/** One direction, without faults. */
const LATENCY_MS = { min: 0.2, max: 1.5 };

export interface PipeOptions {
  readonly scheduler: Scheduler;
  readonly rng: SeededRng;
  readonly conditions: Conditions;
}

export class Pipe {
  readonly #options: PipeOptions;
  /** When the newest item of each key comes out. */
  readonly #lastOf = new Map<string, Millis>();
  #last: Millis = 0;
  #barrier: Millis = 0;
  /** Counts resets: items of an older incarnation are discarded. */
  #incarnation = 0;
  #isBlocked = false;
  #isDraining = false;
  #held: (() => void)[] = [];

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  put(key: string, run: () => void): void {
    const { conditions } = this.#options;
    const behind = conditions.reorders ? (this.#lastOf.get(key) ?? 0) : this.#last;
    const at = this.#schedule(Math.max(behind, this.#barrier), run);
    this.#lastOf.set(key, at);
  }

  putBarrier(run: () => void): void {
    this.#barrier = this.#schedule(this.#last, run);
  }

  block(): void {
    this.#isBlocked = true;
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#drain(this.#incarnation);
  }

  /** The connection has ended: everything in transit is lost. */
  reset(): void {
    this.#incarnation++;
    this.#held = [];
    this.#isDraining = false;
    this.#isBlocked = false;
    this.#lastOf.clear();
    this.#last = this.#barrier = this.#options.scheduler.now;
  }

  #schedule(notBefore: Millis, run: () => void): Millis {
    const { scheduler, rng, conditions } = this.#options;
    const spike = rng.chance(conditions.spike) ? rng.between(0, conditions.spikeMs) : 0;
    const delay = rng.between(LATENCY_MS.min, LATENCY_MS.max) + spike;
    const at = Math.max(scheduler.now + delay, notBefore);
    this.#last = Math.max(this.#last, at);
    const incarnation = this.#incarnation;
    scheduler.at(at, () => {
      if (incarnation !== this.#incarnation) return; // pipe.3
      if (this.#isBlocked || this.#isDraining) this.#held.push(run);
      else run();
    });
    return at;
  }

  /** Releases held items one by one, each as an event. Later items queue behind them (pipe.1). */
  #drain(incarnation: number): void {
    if (incarnation !== this.#incarnation || this.#isBlocked) {
      this.#isDraining = false;
      return;
    }
    const next = this.#held.shift();
    this.#isDraining = next !== undefined;
    if (next === undefined) return;
    next();
    this.#options.scheduler.after(0, () => this.#drain(incarnation));
  }
}
