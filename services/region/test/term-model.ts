// TermModel: two region agents, a room node in each region, and the witness, on clocks that drift,
// with one term for both regions or one for each of two homes.
//
// A discrete simulation from a seed. Requests and answers are delayed or lost, also after the
// requester has given up on them. Processes pause. Operators promote and hand over. The model
// records every moment at which both regions may serve one partition. Home n has partition n.
//
// `clock` of an agent or a node is real time × its rate, plus an offset that means nothing.

import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { TermRecord } from "#shared/protocol/regions.ts";
import type { WitnessRead, WitnessWrite } from "#shared/ports/witness.ts";
import { ModelRegion } from "./model-region.ts";

export interface ModelOptions {
  readonly seed: number;
  /** The largest difference of a clock's rate from 1. */
  readonly drift: number;
  readonly seconds: number;
  /** The homes, each with a term of its own. */
  readonly homes: 1 | 2;
  readonly plant?: "lease-from-answer" | "wall-clock" | "grant-from-answer" | "other-home";
}

interface Register {
  record: TermRecord | undefined;
  revision: number;
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class TermModel {
  readonly findings: string[] = [];
  /** How often a region began to serve, and how often a term changed. */
  readonly counts = { grants: 0, takeovers: 0, handOvers: 0, bothServed: 0 };
  now = 0;
  readonly random: Random;
  readonly options: ModelOptions;
  readonly #events: Event[] = [];
  #order = 0;
  /** One for each home. */
  readonly #registers: readonly Register[];
  readonly regions: readonly ModelRegion[];

  constructor(options: ModelOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
    this.#registers = Array.from({ length: options.homes }, () => {
      return { record: undefined, revision: 0 };
    });
    this.regions = ["east", "west"].map((name) => new ModelRegion(name, this));
  }

  run(): this {
    for (const region of this.regions) region.start();
    const end = this.options.seconds * 1_000;
    for (;;) {
      const next = this.#takeNext();
      if (next === undefined || next.at > end || this.findings.length > 0) return this;
      this.now = next.at;
      next.run();
    }
  }

  below(n: number): number {
    return below(this.random, n);
  }

  chance(share: number): boolean {
    return this.below(1_000) < share * 1_000;
  }

  after(delay: number, run: () => void): void {
    this.#events.push({ at: this.now + delay, order: this.#order++, run });
  }

  /** A message on its way: mostly fast, sometimes seconds, sometimes lost. */
  send(arrive: () => void): void {
    if (this.chance(0.04)) return;
    this.after(this.chance(0.08) ? this.below(4_000) : 1 + this.below(40), arrive);
  }

  read(home: number): WitnessRead {
    return { kind: "ok", ...this.#register(home) };
  }

  write(home: number, record: TermRecord, revision: number): WitnessWrite {
    const register = this.#register(home);
    if (revision !== register.revision) return { kind: "conflict" };
    if (register.record?.region !== record.region) this.counts.takeovers++;
    register.record = record;
    register.revision++;
    return { kind: "ok", revision: register.revision };
  }

  /** `region` may serve the partition of `home` from now until the real time `until`. */
  serves(region: ModelRegion, home: number, until: number): void {
    if (until <= this.now) return;
    this.counts.grants++;
    const other = this.regions.find((one) => one !== region);
    const otherUntil = other?.servesUntil[home] ?? -Infinity;
    if (otherUntil > this.now) {
      const overlap = Math.round(otherUntil - this.now);
      const what = `${region.name} serves home ${home}`;
      this.findings.push(`${what} while ${other?.name} may for ${overlap} ms more`);
    }
    if (other?.servesUntil.some((end) => end > this.now) === true) this.counts.bothServed++;
    region.servesUntil[home] = Math.max(region.servesUntil[home] ?? -Infinity, until);
  }

  #register(home: number): Register {
    const register = this.#registers[home];
    if (register === undefined) throw new Error(`no home ${home}`);
    return register;
  }

  #takeNext(): Event | undefined {
    let best = 0;
    for (let i = 1; i < this.#events.length; i++) {
      const [a, b] = [this.#events[i], this.#events[best]];
      if (
        a !== undefined &&
        b !== undefined &&
        (a.at < b.at || (a.at === b.at && a.order < b.order))
      )
        best = i;
    }
    return this.#events.splice(best, 1)[0];
  }
}
