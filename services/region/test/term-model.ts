// TermModel: two region agents, a room node in each region, and the witness, on clocks that drift.
//
// A discrete simulation from a seed. Requests and answers are delayed or lost, also after the
// requester has given up on them. Processes pause. Operators promote and hand over. The model
// records every moment at which both regions may serve.
//
// `clock` of an agent or a node is real time × its rate, plus an offset that means nothing.

import { HeldGrant } from "#shared/kit/held-grant.ts";
import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Grant, TermRecord } from "#shared/protocol/regions.ts";
import type { WitnessRead, WitnessWrite } from "#shared/ports/witness.ts";
import { Term } from "../core/term.ts";
import type { Effect, Input } from "../core/term-io.ts";

export interface ModelOptions {
  readonly seed: number;
  /** The largest difference of a clock's rate from 1. */
  readonly drift: number;
  readonly seconds: number;
  readonly plant?: "lease-from-answer" | "wall-clock" | "grant-from-answer";
}

const LEASE_MS = 2_000;
const RENEW_MS = 400;
const REQUEST_TIMEOUT_MS = 900;
const NODE_POLL_MS = 150;
/** A room node gives an answer of its agent up after this time. */
const NODE_TIMEOUT_MS = 3_000;
/** The id of the change that hands the term over. */
const HAND_OVER = 3;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class TermModel {
  readonly findings: string[] = [];
  /** How often each region began to serve, and how often the term changed. */
  readonly counts = { grants: 0, takeovers: 0, handOvers: 0 };
  now = 0;
  readonly random: Random;
  readonly options: ModelOptions;
  readonly #events: Event[] = [];
  #order = 0;
  #register: { record: TermRecord | undefined; revision: number } = {
    record: undefined,
    revision: 0,
  };
  readonly regions: readonly ModelRegion[];

  constructor(options: ModelOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
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

  read(): WitnessRead {
    return { kind: "ok", ...this.#register };
  }

  write(record: TermRecord, revision: number): WitnessWrite {
    if (revision !== this.#register.revision) return { kind: "conflict" };
    if (this.#register.record?.region !== record.region) this.counts.takeovers++;
    this.#register = { record, revision: revision + 1 };
    return { kind: "ok", revision: revision + 1 };
  }

  /** `region` may serve from now until the real time `until`. */
  serves(region: ModelRegion, until: number): void {
    if (until <= this.now) return;
    this.counts.grants++;
    const other = this.regions.find((one) => one !== region);
    if (other !== undefined && other.servesUntil > this.now) {
      const overlap = Math.round(other.servesUntil - this.now);
      this.findings.push(`${region.name} serves while ${other.name} may for ${overlap} ms more`);
    }
    region.servesUntil = Math.max(region.servesUntil, until);
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

class ModelRegion {
  readonly name: string;
  servesUntil = -Infinity;
  readonly #model: TermModel;
  readonly #term: Term;
  readonly #rates: { readonly agent: number; readonly node: number };
  readonly #grant = new HeldGrant();
  #pausedUntil = 0;
  #nodePausedUntil = 0;
  /** Until then no message between the agent and the witness arrives. */
  #cutUntil = 0;
  #leavingSince: number | undefined;
  #isHandingOver = false;
  #wallSkew = 0;

  constructor(name: string, model: TermModel) {
    this.name = name;
    this.#model = model;
    // Half of the clocks have the worst rate.
    const share = (): number =>
      model.chance(0.5) ? (model.below(2) === 0 ? -1 : 1) : (model.below(2_001) - 1_000) / 1_000;
    const rate = (): number => 1 + share() * model.options.drift;
    this.#rates = { agent: rate(), node: rate() };
    this.#term = new Term({
      region: name,
      leaseMs: LEASE_MS,
      renewMs: RENEW_MS,
      autoPromote: true,
    });
  }

  start(): void {
    this.#tick();
    this.#poll();
    this.#disturb();
  }

  get #clock(): number {
    return this.#model.now * this.#rates.agent + 5_000_000 + this.#wallSkew;
  }

  get #nodeClock(): number {
    return this.#model.now * this.#rates.node + 9_000_000;
  }

  #tick(): void {
    this.#model.after(50, () => this.#tick());
    if (this.#model.now < this.#pausedUntil) return;
    this.#step({ kind: "tick" });
    const { record } = this.#term;
    if (record?.region !== this.name || !this.#term.holds(this.#clock)) return;
    if (this.#leavingSince === undefined) {
      if (record.follower === null && record.phase === "promoting") {
        this.#change({ phase: "serving", follower: this.#other });
      } else if (this.#model.chance(0.004)) this.#leavingSince = this.#clock;
    } else if (this.#clock - this.#leavingSince > LEASE_MS * 1.1) {
      // Every grant has ended: the hand-over.
      if (this.#isHandingOver) return;
      this.#isHandingOver = true;
      this.#model.counts.handOvers++;
      const next = {
        region: this.#other,
        follower: null,
        phase: "promoting",
        logs: "whole",
      } as const;
      this.#step({ kind: "change", id: HAND_OVER, change: next });
    }
  }

  get #other(): string {
    return this.name === "east" ? "west" : "east";
  }

  #change(change: Extract<Input, { kind: "change" }>["change"]): void {
    this.#step({ kind: "change", id: 1, change });
  }

  /** Pauses, operators, and a wall clock that jumps. */
  #disturb(): void {
    const model = this.#model;
    model.after(500 + model.below(1_500), () => {
      if (model.chance(0.05)) this.#pausedUntil = model.now + model.below(5_000);
      if (model.chance(0.08)) this.#cutUntil = model.now + model.below(6_000);
      if (model.chance(0.05)) this.#nodePausedUntil = model.now + model.below(5_000);
      if (model.chance(0.2)) this.#step({ kind: "take", id: 2, acceptLoss: true });
      if (model.options.plant === "wall-clock" && model.chance(0.2)) this.#wallSkew += 3_600_000;
      this.#disturb();
    });
  }

  #step(input: Input): void {
    for (const effect of this.#term.step(input, this.#clock)) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    if (effect.kind === "done" && effect.id === HAND_OVER) {
      this.#leavingSince = undefined;
      this.#isHandingOver = false;
    }
    if (effect.kind !== "read" && effect.kind !== "write") return;
    const model = this.#model;
    const { n } = effect;
    const sentAt = this.#clock;
    let isOver = false;
    const answer = (outcome: WitnessRead | WitnessWrite): void => {
      if (isOver) return;
      if (model.now < this.#pausedUntil) {
        model.after(this.#pausedUntil - model.now, () => answer(outcome));
        return;
      }
      isOver = true;
      const from = model.options.plant === "lease-from-answer" ? this.#clock : sentAt;
      if (effect.kind === "read") this.#step({ kind: "read", n, outcome: outcome as WitnessRead });
      else this.#step({ kind: "written", n, sentAt: from, outcome });
    };
    const pass = (arrive: () => void): void =>
      model.send(() => {
        if (model.now >= this.#cutUntil) arrive();
      });
    pass(() => {
      const outcome =
        effect.kind === "read" ? model.read() : model.write(effect.record, effect.revision);
      pass(() => answer(outcome));
    });
    model.after(REQUEST_TIMEOUT_MS, () => answer({ kind: "unknown", reason: "timeout" }));
  }

  /** A room node asks for a grant, and again after the answer or its timeout. */
  #poll(): void {
    const model = this.#model;
    if (model.now < this.#nodePausedUntil) {
      model.after(this.#nodePausedUntil - model.now, () => this.#poll());
      return;
    }
    const n = this.#grant.onSent(this.#nodeClock);
    let isOver = false;
    const end = (grant?: Grant): void => {
      if (isOver) return;
      isOver = true;
      if (grant !== undefined) this.#onGrant(grant);
      model.after(NODE_POLL_MS, () => this.#poll());
    };
    model.send(() => this.#answerGrant(n, end));
    model.after(NODE_TIMEOUT_MS, end);
  }

  #answerGrant(n: number, end: (grant: Grant) => void): void {
    const model = this.#model;
    if (model.now < this.#pausedUntil) {
      model.after(this.#pausedUntil - model.now, () => this.#answerGrant(n, end));
      return;
    }
    const isServing = this.#leavingSince === undefined && this.#term.record?.region === this.name;
    const leftMs = isServing ? Math.max(0, this.#term.leaseUntil - this.#clock) : 0;
    model.send(() => end({ v: 1, n, term: 1, for: "everything", leftMs, mirror: null }));
  }

  #onGrant(grant: Grant): void {
    const model = this.#model;
    if (model.now < this.#nodePausedUntil) return;
    this.#grant.onAnswer(grant);
    const isPlanted = model.options.plant === "grant-from-answer";
    const leftHere = isPlanted ? grant.leftMs : this.#grant.until - this.#nodeClock;
    model.serves(this, model.now + leftHere / this.#rates.node);
  }
}
