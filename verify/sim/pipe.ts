// Pipe: one direction of a connection: what is put in comes out later, in order.
//
// Owns: delays, order, what is held while the direction is blocked. Does not own: loss, meaning.
//
//   pipe.1. Items of one key come out in the order in which they went in. Across keys too, unless the
//        weather reorders them.
//   pipe.2. A barrier comes out after all that went in before it and before all that goes in after it:
//        NATS handles SUB, UNSUB and PING in the order of the connection (ports/bus.5).
//   pipe.3. While it is blocked nothing comes out: TCP sends it again later. `reset` loses it all.

import type { Millis } from "#shared/protocol/ids.ts";
import type { Dice } from "./seeded-rng.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Weather } from "./conditions.ts";

/** One way, without trouble. */
const LATENCY_MS = { min: 0.2, max: 1.5 };

export interface PipeOptions {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
}

export class Pipe {
  readonly #options: PipeOptions;
  readonly #lastOf = new Map<string, Millis>();
  #last: Millis = 0;
  #barrier: Millis = 0;
  #life = 0;
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
    const { weather } = this.#options;
    const behind = weather.reorders ? (this.#lastOf.get(key) ?? 0) : this.#last;
    const at = this.#plan(Math.max(behind, this.#barrier), run);
    this.#lastOf.set(key, at);
  }

  putBarrier(run: () => void): void {
    this.#barrier = this.#plan(this.#last, run);
  }

  block(): void {
    this.#isBlocked = true;
  }

  unblock(): void {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#drain(this.#life);
  }

  /** The connection is gone: what was on its way is lost. */
  reset(): void {
    this.#life++;
    this.#held = [];
    this.#isDraining = false;
    this.#isBlocked = false;
    this.#lastOf.clear();
    this.#last = this.#barrier = this.#options.scheduler.now;
  }

  #plan(notBefore: Millis, run: () => void): Millis {
    const { scheduler, dice, weather } = this.#options;
    const spike = dice.chance(weather.spike) ? dice.between(0, weather.spikeMs) : 0;
    const delay = dice.between(LATENCY_MS.min, LATENCY_MS.max) + spike;
    const at = Math.max(scheduler.now + delay, notBefore);
    this.#last = Math.max(this.#last, at);
    const life = this.#life;
    scheduler.at(at, () => {
      if (life !== this.#life) return; // pipe.3
      if (this.#isBlocked || this.#isDraining) this.#held.push(run);
      else run();
    });
    return at;
  }

  /** One by one, each an event; what arrives meanwhile queues behind (pipe.1). */
  #drain(life: number): void {
    if (life !== this.#life || this.#isBlocked) {
      this.#isDraining = false;
      return;
    }
    const next = this.#held.shift();
    this.#isDraining = next !== undefined;
    if (next === undefined) return;
    next();
    this.#options.scheduler.after(0, () => this.#drain(life));
  }
}
