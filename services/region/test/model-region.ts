// ModelRegion: the agent of one region and its room node in the model of terms (term-model.ts).

import { HeldGrant } from "#shared/kit/held-grant.ts";
import type { Grant, Right, TermRecord } from "#shared/protocol/regions.ts";
import type { WitnessRead, WitnessWrite } from "#shared/ports/witness.ts";
import { Term } from "../core/term.ts";
import type { Effect, Input } from "../core/term-io.ts";

const LEASE_MS = 2_000;
const RENEW_MS = 400;
const REQUEST_TIMEOUT_MS = 900;
const NODE_POLL_MS = 150;
/** A room node gives an answer of its agent up after this time. */
const NODE_TIMEOUT_MS = 3_000;
/** The id of the change that hands the term over. */
const HAND_OVER = 3;

/** What a region needs of the model. */
export interface RegionModel {
  readonly now: number;
  readonly options: { readonly drift: number; readonly homes: number; readonly plant?: string };
  readonly counts: { handOvers: number };
  below(n: number): number;
  chance(share: number): boolean;
  after(delay: number, run: () => void): void;
  send(arrive: () => void): void;
  read(home: number): WitnessRead;
  write(home: number, record: TermRecord, revision: number): WitnessWrite;
  serves(region: ModelRegion, home: number, until: number): void;
}

export class ModelRegion {
  readonly name: string;
  /** Until when its node may serve the partition of each home. */
  readonly servesUntil: number[] = [];
  readonly #model: RegionModel;
  readonly #terms: readonly ModelTerm[];
  readonly #rates: { readonly agent: number; readonly node: number };
  readonly #grant = new HeldGrant();
  pausedUntil = 0;
  #nodePausedUntil = 0;
  /** Until then no message between the agent and the witness arrives. */
  cutUntil = 0;
  #wallSkew = 0;

  constructor(name: string, model: RegionModel) {
    this.name = name;
    this.#model = model;
    // Half of the clocks have the worst rate.
    const share = (): number =>
      model.chance(0.5) ? (model.below(2) === 0 ? -1 : 1) : (model.below(2_001) - 1_000) / 1_000;
    const rate = (): number => 1 + share() * model.options.drift;
    this.#rates = { agent: rate(), node: rate() };
    const { homes } = model.options;
    this.#terms = Array.from({ length: homes }, (_, home) => new ModelTerm(home, this, model));
  }

  start(): void {
    for (const term of this.#terms) term.tick();
    this.#poll();
    this.#disturb();
  }

  get clock(): number {
    return this.#model.now * this.#rates.agent + 5_000_000 + this.#wallSkew;
  }

  get #nodeClock(): number {
    return this.#model.now * this.#rates.node + 9_000_000;
  }

  get other(): string {
    return this.name === "east" ? "west" : "east";
  }

  /** Pauses, operators, and a wall clock that jumps. */
  #disturb(): void {
    const model = this.#model;
    model.after(500 + model.below(1_500), () => {
      if (model.chance(0.05)) this.pausedUntil = model.now + model.below(5_000);
      if (model.chance(0.08)) this.cutUntil = model.now + model.below(6_000);
      if (model.chance(0.05)) this.#nodePausedUntil = model.now + model.below(5_000);
      for (const term of this.#terms) {
        if (model.chance(0.2)) term.step({ kind: "take", id: 2, acceptLoss: true });
      }
      if (model.options.plant === "wall-clock" && model.chance(0.2)) this.#wallSkew += 3_600_000;
      this.#disturb();
    });
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
    if (model.now < this.pausedUntil) {
      model.after(this.pausedUntil - model.now, () => this.#answerGrant(n, end));
      return;
    }
    const homes = this.#terms.map((term, home) => {
      return { home: `home-${home}`, partitions: [home], ...term.right };
    });
    const [one] = homes;
    const none: Right = { term: 0, for: "nothing", leftMs: 0, mirror: null };
    const grant: Grant =
      homes.length === 1 && one !== undefined
        ? { v: 1, n, term: 1, for: one.for, leftMs: one.leftMs, mirror: null }
        : { v: 1, n, ...none, homes };
    model.send(() => end(grant));
  }

  #onGrant(grant: Grant): void {
    const model = this.#model;
    if (model.now < this.#nodePausedUntil) return;
    this.#grant.onAnswer(grant);
    const { plant } = model.options;
    for (const home of this.#terms.keys()) {
      // With this plant in both regions, all would agree on home 0 alone.
      const p = plant === "other-home" && this.name === "west" ? 0 : home;
      const leftMs = this.#grant.rightOf(p)?.leftMs ?? 0;
      const isPlanted = plant === "grant-from-answer";
      const leftHere = isPlanted ? leftMs : this.#grant.untilOf(p) - this.#nodeClock;
      model.serves(this, home, model.now + leftHere / this.#rates.node);
    }
  }
}

/** The machine of one home in one region. */
class ModelTerm {
  readonly #home: number;
  readonly #region: ModelRegion;
  readonly #model: RegionModel;
  readonly #term: Term;
  #leavingSince: number | undefined;
  #isHandingOver = false;

  constructor(home: number, region: ModelRegion, model: RegionModel) {
    this.#home = home;
    this.#region = region;
    this.#model = model;
    this.#term = new Term({
      region: region.name,
      leaseMs: LEASE_MS,
      renewMs: RENEW_MS,
      autoPromote: true,
    });
  }

  get right(): Right {
    const isServing =
      this.#leavingSince === undefined && this.#term.record?.region === this.#region.name;
    const leftMs = isServing ? Math.max(0, this.#term.leaseUntil - this.#clock) : 0;
    return { term: 1, for: "everything", leftMs, mirror: null };
  }

  get #clock(): number {
    return this.#region.clock;
  }

  tick(): void {
    const { name, other, pausedUntil } = this.#region;
    this.#model.after(50, () => this.tick());
    if (this.#model.now < pausedUntil) return;
    this.step({ kind: "tick" });
    const { record } = this.#term;
    if (record?.region !== name || !this.#term.holds(this.#clock)) return;
    if (this.#leavingSince === undefined) {
      if (record.follower === null && record.phase === "promoting") {
        this.#change({ phase: "serving", follower: other });
      } else if (this.#model.chance(0.004)) this.#leavingSince = this.#clock;
    } else if (this.#clock - this.#leavingSince > LEASE_MS * 1.1) {
      // Every grant has ended: the hand-over.
      if (this.#isHandingOver) return;
      this.#isHandingOver = true;
      this.#model.counts.handOvers++;
      const next = { region: other, follower: null, phase: "promoting", logs: "whole" } as const;
      this.step({ kind: "change", id: HAND_OVER, change: next });
    }
  }

  step(input: Input): void {
    for (const effect of this.#term.step(input, this.#clock)) this.#perform(effect);
  }

  #change(change: Extract<Input, { kind: "change" }>["change"]): void {
    this.step({ kind: "change", id: 1, change });
  }

  #perform(effect: Effect): void {
    if (effect.kind === "done" && effect.id === HAND_OVER) {
      this.#leavingSince = undefined;
      this.#isHandingOver = false;
    }
    if (effect.kind !== "read" && effect.kind !== "write") return;
    const model = this.#model;
    const region = this.#region;
    const { n } = effect;
    const sentAt = this.#clock;
    let isOver = false;
    const answer = (outcome: WitnessRead | WitnessWrite): void => {
      if (isOver) return;
      if (model.now < region.pausedUntil) {
        model.after(region.pausedUntil - model.now, () => answer(outcome));
        return;
      }
      isOver = true;
      const from = model.options.plant === "lease-from-answer" ? this.#clock : sentAt;
      if (effect.kind === "read") this.step({ kind: "read", n, outcome: outcome as WitnessRead });
      else this.step({ kind: "written", n, sentAt: from, outcome });
    };
    const pass = (arrive: () => void): void =>
      model.send(() => {
        if (model.now >= region.cutUntil) arrive();
      });
    pass(() => {
      const outcome =
        effect.kind === "read"
          ? model.read(this.#home)
          : model.write(this.#home, effect.record, effect.revision);
      pass(() => answer(outcome));
    });
    model.after(REQUEST_TIMEOUT_MS, () => answer({ kind: "unknown", reason: "timeout" }));
  }
}
