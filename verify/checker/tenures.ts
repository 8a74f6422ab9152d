// Tenures: judges which owner wrote the entries of the partition logs.
//
//   tenures.1. A commit or a release carries the epoch of a claim that its node made. Between two
//        claims only one epoch counts: a later commit of a fenced owner is void (P15), and its
//        lines are not part of the room. No entry of an epoch follows its release or its split.
//   tenures.2. After a split in force, the log has lines only of the rooms that stay in it. The log
//        of the upper half has lines only of those that have moved to it, and begins with entry 2.
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
  /** It has the rooms with fnv1a32(room) mod `of` = p; undefined: no split is known. */
  of: number | undefined;
}

export class Tenures {
  readonly #fail: Fail;
  readonly #logs = new Map<number, Log>();
  /** Upper halves: the `of` of the split that began each. */
  readonly #begun = new Map<number, number>();
  splits = 0;
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
    const of = Number(header["of"]);
    const entry = { p, seq, kind: String(kind), node, epoch: Number(epoch), of };
    if (!this.#judge(log, entry)) return [];
    this.#checkRooms(log, entry, header["rooms"]);
    return lines;
  }

  /** tenures.2. */
  #checkRooms({ of }: Log, { p, seq }: { p: number; seq: number }, rooms: unknown): void {
    if (of === undefined || !Array.isArray(rooms)) return;
    for (const item of rooms as readonly unknown[]) {
      const room = String((item as readonly unknown[])[0]);
      const wanted = hashOf(room) % of;
      if (wanted !== p)
        this.#fail("I10", `log ${p}/${seq}: ${room} belongs to partition ${wanted}`);
    }
  }

  #onClaim(log: Log, seq: number, node: string): void {
    this.claims++;
    if (log.current !== undefined && log.current.node !== node) this.changes++;
    log.current = { epoch: seq, node, isReleased: false, isBroken: false };
    log.claims.set(seq, node);
  }

  #judge(
    log: Log,
    entry: { p: number; seq: number; kind: string; node: string; epoch: number; of: number },
  ): boolean {
    const { p, seq, kind, node, epoch, of } = entry;
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
      if (kind !== "commit" && kind !== "split") return false;
      this.voided++;
      // It has the log sequence of an append of the owner. Later appends of that owner would leave
      // a gap.
      current.isBroken = true;
      return false;
    }
    if (current.isReleased) this.#fail("I10", `log ${p}/${seq}: ${kind} after the release`);
    if (kind === "release" || kind === "split") current.isReleased = true;
    if (kind === "split") {
      log.of = of;
      this.#begun.set(p + of / 2, of);
      this.splits++;
    }
    return kind === "commit";
  }

  #log(p: number, first: number): Log {
    let log = this.#logs.get(p);
    if (log === undefined) {
      const of = this.#begun.get(p);
      log = { next: first, current: undefined, claims: new Map(), of };
      this.#logs.set(p, log);
      if (first > (of === undefined ? 1 : 2)) this.isTrimmed = true;
    }
    return log;
  }
}

/** FNV-1a, 32 bit, of a room id: the rule N3, stated independently of the services. */
function hashOf(room: string): number {
  let hash = 2_166_136_261;
  for (const byte of Buffer.from(room)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
  return hash;
}
