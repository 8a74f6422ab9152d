// TermRunner: performs the effects of the term machine on the witness, and returns each outcome as
// an input.
//
// Owns: the tick, the promises of callers. Does not own: any decision (core/term.ts).
//
//   term-runner.1. The time of a request is read before the request is sent (term.1).

import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Witness } from "#shared/ports/witness.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { Term } from "../core/term.ts";
import type { TermOptions } from "../core/term.ts";
import type { Change, Effect, Input, Outcome } from "../core/term-io.ts";

const TICK_MS = 50;

export class TermRunner {
  readonly core: Term;
  readonly #witness: Witness;
  readonly #clock: Clock;
  readonly #onChanged: () => void;
  readonly #callers = new Map<number, (outcome: Outcome) => void>();
  #timer: Timer | undefined;
  #ids = 0;

  constructor(
    options: TermOptions,
    parts: { readonly witness: Witness; readonly clock: Clock; readonly onChanged: () => void },
  ) {
    this.core = new Term(options);
    this.#witness = parts.witness;
    this.#clock = parts.clock;
    this.#onChanged = parts.onChanged;
  }

  start(): void {
    this.#timer = this.#clock.every(TICK_MS, () => this.#step({ kind: "tick" }));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  get now(): Millis {
    return this.#clock.monotonic();
  }

  /** Resolves, never rejects. */
  take(acceptLoss: boolean): Promise<Outcome> {
    return this.#ask((id) => ({ kind: "take", id, acceptLoss }));
  }

  /** Resolves, never rejects. */
  change(change: Change): Promise<Outcome> {
    return this.#ask((id) => ({ kind: "change", id, change }));
  }

  #ask(input: (id: number) => Input): Promise<Outcome> {
    return new Promise((resolve) => {
      const id = ++this.#ids;
      this.#callers.set(id, resolve);
      this.#step(input(id));
    });
  }

  #step(input: Input): void {
    for (const effect of this.core.step(input, this.now)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case "read":
        void this.#witness
          .read()
          .then((outcome) => this.#step({ kind: "read", n: effect.n, outcome }));
        return;
      case "write": {
        const sentAt = this.now; // term-runner.1
        const { n, record, revision } = effect;
        void this.#witness
          .write(record, revision)
          .then((outcome) => this.#step({ kind: "written", n, sentAt, outcome }));
        return;
      }
      case "changed":
        this.#onChanged();
        return;
      case "done": {
        const resolve = this.#callers.get(effect.id);
        this.#callers.delete(effect.id);
        resolve?.(effect.outcome);
      }
    }
  }
}
