// Term: the state machine by which two regions share one term through the witness.
//
// Owns: the lease of this region, the time after which it may take over, the renewals, and the
// changes of the record. Does not own: the register (shared/ports/witness.ts), what a region does
// before it serves (runtime/promotion.ts), the grants of its processes (runtime/region-agent.ts).
//
// Inputs carry `now`, the monotonic clock of this process. No time of another process is compared
// with it.
//
//   term.1. The lease ends `leaseMs` after the moment when this region SENT its last successful
//       renewal. The answer may have been on its way for any time.
//   term.2. Another region takes over only after it has seen one revision for `leaseMs` × 1.1,
//       counted from the ARRIVAL of its first sight, and only by a write that expects that
//       revision. So it is safe while every clock runs at most 4 % too fast or too slow.
//   term.3. The time of term.2 uses the lease in the record. Two regions with different settings
//       are safe.
//   term.4. A hand-over ends the lease when it is accepted, before its write is sent: its outcome
//       may be unknown. The caller has let all grants end before.
//   term.5. A record that names another region ends the lease at once.
//   term.6. At most one request to the witness is open.
//   term.7. An outage of the witness begins the wait of term.2 again, because the holder could not
//       renew either. So an outage alone causes no takeover.

import { unreachable } from "#shared/kit/assert.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { RegionMode, RegionRefusal, TermRecord } from "#shared/protocol/regions.ts";
import type { WitnessRead, WitnessWrite } from "#shared/ports/witness.ts";
import type { Change, Effect, Input, Outcome } from "./term-io.ts";

/** term.2: 1.04 / 0.96 is below it. */
export const WAIT_FACTOR = 1.1;

export interface TermOptions {
  readonly region: string;
  readonly leaseMs: Millis;
  readonly renewMs: Millis;
  /** Takes over without an operator when the lease of the other region has ended. */
  readonly autoPromote: boolean;
  /** The mode of the first term of all. */
  readonly firstMode?: RegionMode;
}

/** A record, and since when this region has seen its revision. */
export interface Sight {
  readonly record: TermRecord | undefined;
  readonly revision: number;
  readonly since: Millis;
}

interface Wanted {
  readonly id: number;
  readonly change: Change;
}

/** Changes that wait for the open request. Above it a change is refused as `busy`. */
const WANTED_MAX = 8;

export class Term {
  readonly #options: TermOptions;
  #sight: Sight | undefined;
  /** The record may have changed: the next request is a read. The lease stays (term.1). */
  #isStale = true;
  #leaseUntil: Millis = -Infinity;
  #n = 0;
  /** The open request (term.6). */
  #open:
    | { readonly n: number; readonly wanted?: Wanted | undefined; record?: TermRecord }
    | undefined;
  #wanted: Wanted[] = [];
  #handsOver = false;
  #nextAt: Millis = -Infinity;
  /** The last answer of the witness. Undefined before the first, and after an unknown outcome. */
  #answeredAt: Millis | undefined;
  /** The last answer of the witness of all. */
  #heardAt: Millis = -Infinity;
  /** The last answer to a read; it stays after an unknown outcome (term.7). */
  #readAt: Millis = -Infinity;

  constructor(options: TermOptions) {
    this.#options = options;
  }

  get sight(): Sight | undefined {
    return this.#sight;
  }

  get record(): TermRecord | undefined {
    return this.#sight?.record;
  }

  /** Until when this region holds the term, on its own monotonic clock. */
  get leaseUntil(): Millis {
    return this.#handsOver ? -Infinity : this.#leaseUntil; // term.4
  }

  holds(now: Millis): boolean {
    return now < this.leaseUntil;
  }

  /** Whether the witness answered the last request, and not longer than a lease ago. */
  isWitnessed(now: Millis): boolean {
    return this.#answeredAt !== undefined && now - this.#answeredAt < this.#options.leaseMs;
  }

  /** Until a lease has passed since the last answer of the witness. */
  get heardUntil(): Millis {
    return this.#heardAt + this.#options.leaseMs;
  }

  /** How long this region must still wait before it may take over; 0: it may (term.2). */
  waitMs(now: Millis): Millis {
    if (this.#sight === undefined) return Infinity;
    const { record, since } = this.#sight;
    const leaseMs = record?.leaseMs ?? this.#options.leaseMs; // term.3
    return Math.max(0, since + leaseMs * WAIT_FACTOR - now);
  }

  step(input: Input, now: Millis): Effect[] {
    switch (input.kind) {
      case "tick":
        return this.#onTick(now);
      case "read":
        return this.#open?.n === input.n ? this.#onRead(input.outcome, now) : [];
      case "written":
        return this.#open?.n === input.n ? this.#onWritten(input.sentAt, input.outcome, now) : [];
      case "take":
        return this.#onTake(input.id, input.acceptLoss, now);
      case "change":
        return this.#onChange(input.id, input.change, now);
      default:
        return unreachable(input);
    }
  }

  #onTick(now: Millis): Effect[] {
    if (this.#open !== undefined) return [];
    const { region, autoPromote } = this.#options;
    const { record } = this;
    if (this.#isStale) return now < this.#nextAt ? [] : [this.#read(now)];
    if (record?.region === region) {
      const [wanted] = this.#wanted;
      if (wanted === undefined && now < this.#nextAt) return [];
      this.#wanted.shift();
      return [this.#write({ ...record, ...wanted?.change }, now, wanted)];
    }
    const isFollower = record?.follower === region && this.waitMs(now) === 0;
    if (autoPromote && isFollower && !this.#wasAway(now)) {
      return [this.#write(this.#takeOver(record), now)];
    }
    return now < this.#nextAt ? [] : [this.#read(now)];
  }

  /** No read was answered for half a lease (term.7). */
  #wasAway(now: Millis): boolean {
    return now - this.#readAt > this.#options.leaseMs / 2;
  }

  #onRead(outcome: WitnessRead, now: Millis): Effect[] {
    this.#open = undefined;
    if (outcome.kind === "unknown") {
      this.#answeredAt = undefined;
      return [];
    }
    this.#onHeard(now);
    const { record, revision } = outcome;
    const wasAway = this.#wasAway(now);
    this.#readAt = now;
    // term.7
    if (wasAway && this.#sight !== undefined) this.#sight = { ...this.#sight, since: now };
    const wasStale = this.#isStale;
    this.#isStale = false;
    if (this.#sight?.revision === revision && !wasStale) return [];
    if (this.#sight?.revision !== revision) this.#sight = { record, revision, since: now };
    if (record?.region !== this.#options.region) {
      this.#leaseUntil = -Infinity; // term.5
      return [...this.#refuseWanted(), { kind: "changed" }];
    }
    this.#nextAt = now; // This region is named, so it renews at once.
    return [{ kind: "changed" }, ...this.#onTick(now)];
  }

  #onWritten(sentAt: Millis, outcome: WitnessWrite, now: Millis): Effect[] {
    const { wanted, record } = this.#open ?? {};
    this.#open = undefined;
    if (wanted?.change.region !== undefined) this.#handsOver = false;
    const done = (result: Outcome): Effect[] =>
      wanted === undefined ? [] : [{ kind: "done", id: wanted.id, outcome: result }];
    if (outcome.kind === "ok") {
      this.#onHeard(now);
      this.#sight = { record, revision: outcome.revision, since: now };
      if (record?.region === this.#options.region) {
        this.#leaseUntil = Math.max(this.#leaseUntil, sentAt + record.leaseMs); // term.1
      }
      return [...done({ kind: "ok" }), { kind: "changed" }];
    }
    this.#isStale = true;
    this.#nextAt = now;
    if (outcome.kind === "unknown") {
      this.#answeredAt = undefined;
      return done({ kind: "unknown" });
    }
    this.#onHeard(now);
    const again = refused("busy", "the record of the witness has changed; try again");
    return [...done(again), this.#read(now)];
  }

  #onHeard(now: Millis): void {
    this.#answeredAt = now;
    this.#heardAt = now;
  }

  #onTake(id: number, acceptLoss: boolean, now: Millis): Effect[] {
    const { region, leaseMs, firstMode = "asynchronous" } = this.#options;
    const refuse = (why: RegionRefusal, message: string): Effect[] => [
      { kind: "done", id, outcome: refused(why, message) },
    ];
    if (!this.isWitnessed(now) || this.#sight === undefined || this.#isStale) {
      return refuse("no_witness", "the witness does not answer");
    }
    const { record } = this;
    if (record?.region === region) return [{ kind: "done", id, outcome: { kind: "ok" } }];
    const waitMs = this.waitMs(now);
    if (waitMs > 0) {
      const holder = record === undefined ? "another region may hold" : `${record.region} holds`;
      return refuse("term_held", `${holder} the term: wait at least ${Math.ceil(waitMs)} ms`);
    }
    if (record !== undefined && record.follower !== region && !acceptLoss) {
      return refuse("not_following", `${region} is not the follower of ${record.region}`);
    }
    if (this.#open !== undefined) return refuse("busy", "a request to the witness is open");
    const wanted = { id, change: {} };
    if (record !== undefined) return [this.#write(this.#takeOver(record), now, wanted)];
    const first: TermRecord = {
      v: 1,
      region,
      term: 1,
      mode: firstMode,
      phase: "promoting",
      follower: null,
      logs: "whole",
      leaseMs,
    };
    return [this.#write(first, now, wanted)];
  }

  #onChange(id: number, change: Change, now: Millis): Effect[] {
    const refuse = (why: RegionRefusal, message: string): Effect[] => [
      { kind: "done", id, outcome: refused(why, message) },
    ];
    if (!this.holds(now)) return refuse("not_serving", "this region does not hold the term");
    if (this.#wanted.length >= WANTED_MAX) return refuse("busy", "too many changes wait");
    this.#wanted.push({ id, change });
    if (change.region !== undefined) this.#handsOver = true;
    return this.#onTick(now);
  }

  /** The record of this region's next term. */
  #takeOver(from: TermRecord): TermRecord {
    const { region, leaseMs } = this.#options;
    const isWhole = from.mode === "synchronous" && from.follower === region;
    return {
      ...from,
      region,
      term: from.term + 1,
      phase: "promoting",
      follower: null,
      logs: isWhole ? "whole" : "partial",
      leaseMs,
    };
  }

  #read(now: Millis): Effect {
    const n = ++this.#n;
    this.#open = { n };
    this.#nextAt = now + this.#options.renewMs / 2;
    return { kind: "read", n };
  }

  #write(record: TermRecord, now: Millis, wanted?: Wanted): Effect {
    const n = ++this.#n;
    const { region, leaseMs, renewMs } = this.#options;
    const isOwn = record.region === region;
    const whole = isOwn ? { ...record, leaseMs } : { ...record, term: record.term + 1 };
    if (!isOwn) this.#leaseUntil = -Infinity; // term.4
    this.#open = { n, wanted, record: whole };
    this.#nextAt = now + renewMs;
    return { kind: "write", n, record: whole, revision: this.#sight?.revision ?? 0 };
  }

  #refuseWanted(): Effect[] {
    const outcome = refused("not_serving", "this region has lost the term");
    this.#handsOver = false;
    return this.#wanted.splice(0).map(({ id }) => ({ kind: "done", id, outcome }));
  }
}

function refused(why: RegionRefusal, message: string): Outcome {
  return { kind: "refused", why, message };
}
