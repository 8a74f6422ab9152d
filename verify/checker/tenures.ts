// Tenures: judges which owner wrote the entries of the partition logs.
//
//   tenures.1. A commit or a release carries the epoch of a claim that its node made. Between two
//        claims only one epoch counts: a later commit of a fenced owner is void (P15), and its
//        lines are not part of the room. No entry of an epoch follows its release.
//
// The rule P15 is implemented here a second time on purpose: the checker shares no code with the
// services. Before the first claim in a trimmed log every commit counts.

import { parseObject } from "#shared/kit/json.ts";
import type { Fail } from "./violation.ts";

/** One entry of partition `p` at log sequence `seq`. */
export interface LoggedEntry {
  readonly p: number;
  readonly seq: number;
  readonly text: string;
}

interface Tenure {
  readonly epoch: number;
  readonly node: string;
  isReleased: boolean;
  /** The log has a void commit in this tenure. */
  isBroken: boolean;
}

interface Log {
  next: number;
  current: Tenure | undefined;
  readonly claims: Map<number, string>;
}

export class Tenures {
  readonly #fail: Fail;
  readonly #logs = new Map<number, Log>();
  claims = 0;
  /** Claims by a node other than the previous owner. */
  changes = 0;
  voided = 0;
  /** Whether a log lacks its first entries. */
  isTrimmed = false;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  /** Returns the lines of the entry that count. */
  take({ p, seq, text }: LoggedEntry): readonly string[] {
    const log = this.#log(p, seq);
    if (seq !== log.next)
      this.#fail("I4", `log ${p} has entry ${seq} where ${log.next} is expected`);
    log.next = seq + 1;
    const [head = "", ...lines] = text.split("\n");
    const header = parseObject(head);
    const { kind, node, epoch } = header ?? {};
    if (header === undefined || typeof node !== "string") {
      this.#fail("I10", `log ${p}/${seq} is unreadable`);
      return [];
    }
    if (kind === "claim") {
      this.#onClaim(log, seq, node);
      return [];
    }
    const isValid = this.#judge(log, { p, seq, kind: String(kind), node, epoch: Number(epoch) });
    return isValid ? lines : [];
  }

  #onClaim(log: Log, seq: number, node: string): void {
    this.claims++;
    if (log.current !== undefined && log.current.node !== node) this.changes++;
    log.current = { epoch: seq, node, isReleased: false, isBroken: false };
    log.claims.set(seq, node);
  }

  #judge(
    log: Log,
    entry: { p: number; seq: number; kind: string; node: string; epoch: number },
  ): boolean {
    const { p, seq, kind, node, epoch } = entry;
    const { current } = log;
    if (current === undefined) return kind === "commit"; // The claim was trimmed.
    const claimant = log.claims.get(epoch);
    const isOld = this.isTrimmed && claimant === undefined && epoch < current.epoch;
    if (claimant !== node && !isOld) {
      const owner = claimant ?? "no node";
      this.#fail(
        "I10",
        `log ${p}/${seq}: ${kind} of ${node} in epoch ${epoch}, which ${owner} claimed`,
      );
    }
    if (epoch !== current.epoch || current.isBroken) {
      if (kind !== "commit") return false;
      this.voided++;
      // It has the log sequence of an append of the owner. Later appends of that owner would leave
      // a gap.
      current.isBroken = true;
      return false;
    }
    if (current.isReleased) this.#fail("I10", `log ${p}/${seq}: ${kind} after the release`);
    if (kind === "release") current.isReleased = true;
    return kind === "commit";
  }

  #log(p: number, first: number): Log {
    let log = this.#logs.get(p);
    if (log === undefined) {
      log = { next: first, current: undefined, claims: new Map() };
      this.#logs.set(p, log);
      if (first > 1) this.isTrimmed = true;
    }
    return log;
  }
}
