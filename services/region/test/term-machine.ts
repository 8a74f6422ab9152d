// A term machine whose inputs a test gives one by one.

import type { TermRecord } from "#shared/protocol/regions.ts";
import { Term } from "../core/term.ts";
import type { Effect, Input } from "../core/term-io.ts";

export const LEASE_MS = 1_000;
export const RECORD: TermRecord = {
  v: 1,
  region: "west",
  term: 3,
  mode: "asynchronous",
  phase: "serving",
  follower: "east",
  logs: "whole",
  leaseMs: LEASE_MS,
};

/** The machine of the region "east". */
export class Machine {
  readonly term: Term;
  now = 0;
  /** The effects of the last step. */
  effects: Effect[] = [];

  constructor(options: { autoPromote?: boolean; leaseMs?: number } = {}) {
    const { autoPromote = false, leaseMs = LEASE_MS } = options;
    this.term = new Term({ region: "east", leaseMs, renewMs: 200, autoPromote });
  }

  step(input: Input): Effect[] {
    this.effects = this.term.step(input, this.now);
    return this.effects;
  }

  /** The open request. */
  get open(): Extract<Effect, { kind: "read" | "write" }> | undefined {
    return this.effects.find((effect) => effect.kind === "read" || effect.kind === "write");
  }

  /** Ticks, and answers the read that follows. */
  reads(record: TermRecord | undefined, revision: number): void {
    this.step({ kind: "tick" });
    if (this.open?.kind !== "read") throw new Error(`no read: ${JSON.stringify(this.effects)}`);
    this.step({ kind: "read", n: this.open.n, outcome: { kind: "ok", record, revision } });
  }

  /** Reads the same record again and again, until `until`. */
  watches(record: TermRecord | undefined, revision: number, until: number): void {
    if (this.term.sight === undefined) this.reads(record, revision);
    while (this.now < until) {
      this.now = Math.min(until, this.now + 400);
      this.reads(record, revision);
    }
  }

  /** Answers the open write. */
  wrote(sentAt: number, revision: number | "unknown" | "conflict"): void {
    const n = this.open?.n ?? 0;
    if (revision === "unknown")
      this.step({ kind: "written", n, sentAt, outcome: { kind: "unknown", reason: "lost" } });
    else if (revision === "conflict")
      this.step({ kind: "written", n, sentAt, outcome: { kind: "conflict" } });
    else this.step({ kind: "written", n, sentAt, outcome: { kind: "ok", revision } });
  }

  /** East holds the term, since the write that it sent now. */
  holds(): void {
    this.reads({ ...RECORD, region: "east" }, 7);
    this.wrote(this.now, 8);
  }

  /** The outcome of `take`, or the record that it writes. */
  take(acceptLoss = false): string | TermRecord {
    const effects = this.step({ kind: "take", id: 1, acceptLoss });
    const [effect] = effects;
    if (effect?.kind === "write") return effect.record;
    if (effect?.kind !== "done") return "nothing";
    return effect.outcome.kind === "refused" ? effect.outcome.why : effect.outcome.kind;
  }
}
