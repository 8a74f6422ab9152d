// FollowerWatch: the work of an agent whose region serves: it compares the ends of its logs with
// the reports of the other region, and decides whether that region is the follower.
//
// Owns: the lag, and the field `follower` of the record. Does not own: the record (core/term.ts).
//
//   follower-watch.1. In asynchronous mode a region is the follower while its reports arrive and
//        its lag is small. When no report has arrived for LOST_MS it is the follower no longer, so
//        that a promotion without an operator never loses more than that.
//   follower-watch.2. In synchronous mode owners first begin to wait for the mirror. After a lease
//        every owner waits. From then on the region is the follower when its mirror has reached
//        every end that was read after that moment. It stays the follower until an operator changes
//        the mode.
//   follower-watch.3. Only complete reports of the present term count.
//   follower-watch.4. Where both regions serve, a mirror may come back after its region was lost,
//        and NATS resumes it much later than the reports. Owners begin to wait for it only when it
//        has reached the ends of the check before. Otherwise the rooms of the other home would
//        notice.

import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import { decodeMirrored } from "#shared/protocol/regions.ts";
import type { TermRecord } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { WAIT_FACTOR } from "../core/term.ts";
import type { Change, Outcome } from "../core/term-io.ts";
import { Waits } from "./waits.ts";

export interface WatchParts {
  readonly peer: string;
  /** Where both regions serve. */
  readonly home?: string | undefined;
  readonly partitions: readonly Partition[];
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Pick<PartitionLog, "last">;
  readonly report: (event: string, detail: object) => void;
}

/** The record while this region serves, and the way to change it. */
export interface WatchedTerm {
  readonly record: () => TermRecord | undefined;
  readonly change: (change: Change) => Promise<Outcome>;
}

/** The first and the last entry of a log; an empty one begins at last + 1. */
type Range = { readonly p: Partition; readonly first: LogSeq; readonly last: LogSeq };

const CHECK_MS = 500;
/** A mirror with more entries to come, in all partitions, is not the follower yet. */
export const FOLLOW_LAG_MAX = 1_000;
/** Reports are repeated each half second. */
const FRESH_MS = 2_000;
export const LOST_MS = 30_000;

export class FollowerWatch {
  readonly #parts: WatchParts;
  readonly #ends = new Map<Partition, LogSeq>();
  readonly #stops: (Timer | Subscription)[] = [];
  readonly #waits: Waits;
  #term: WatchedTerm | undefined;
  #endsTerm = 0;
  #reportedAt: Millis = -Infinity;
  #lag: number | null = null;
  #lags: ReadonlyMap<Partition, number> = new Map();
  #isChecking = false;
  /** The ends of the logs at the check before (follower-watch.4). */
  #before: readonly Range[] | undefined;
  /** Since when owners wait for a mirror that is not the follower yet (follower-watch.2). */
  #waitingSince: Millis | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#waits = new Waits(parts.clock);
  }

  /** Entries that the mirrors lack, in all partitions; null: not known. */
  get lag(): number | null {
    return this.#lag;
  }

  /** The same by partition; empty: not known. */
  get lags(): ReadonlyMap<Partition, number> {
    return this.#lag === null ? new Map() : this.#lags;
  }

  /** The region whose mirror owners wait for although it is not the follower yet. */
  get catchingUp(): string | null {
    return this.#waitingSince === undefined ? null : this.#parts.peer;
  }

  start(term: WatchedTerm): void {
    const { bus, clock, peer } = this.#parts;
    this.#term = term;
    this.#stops.push(
      bus.subscribe(subjects.mirrored(peer), ({ data }) => this.#onReport(data)),
      clock.every(CHECK_MS, () => void this.#check()),
    );
  }

  stop(): void {
    this.#waits.end();
    for (const stop of this.#stops) {
      if ("cancel" in stop) stop.cancel();
      else stop.unsubscribe();
    }
  }

  /**
   * Resolves true when the mirrors have every entry of the logs, whose ends no longer grow, and
   * false when they do not in time, or after `stop`.
   */
  async hasAll(withinMs: Millis): Promise<boolean> {
    const { clock } = this.#parts;
    const end = clock.monotonic() + withinMs;
    for (;;) {
      const lasts = await this.#lasts();
      if (lasts !== undefined && this.#lagOf(lasts) === 0) return true;
      if (clock.monotonic() > end || !(await this.#waits.for(100))) return false;
    }
  }

  #onReport(data: Uint8Array): void {
    const report = decodeMirrored(new TextDecoder().decode(data));
    if (report?.region !== this.#parts.peer || report.home !== this.#parts.home) return; // N5
    if (report.term !== this.#endsTerm) {
      this.#ends.clear();
      this.#endsTerm = report.term;
    }
    for (const [p, seq] of report.ends) this.#ends.set(p, seq);
    this.#reportedAt = this.#parts.clock.monotonic();
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    try {
      await this.#decide();
    } finally {
      this.#isChecking = false;
    }
  }

  async #decide(): Promise<void> {
    const record = this.#term?.record();
    const before = this.#before;
    this.#before = undefined;
    if (record === undefined) {
      this.#waitingSince = undefined;
      this.#lag = null;
      return;
    }
    const { clock } = this.#parts;
    const isFresh = this.#isComplete(record) && clock.monotonic() - this.#reportedAt < FRESH_MS;
    const lasts = isFresh ? await this.#lasts() : undefined;
    this.#lag = lasts === undefined ? null : this.#lagOf(lasts);
    this.#before = lasts;
    if (record.follower !== null) {
      this.#waitingSince = undefined;
      await this.#release(record);
      return;
    }
    if (this.#lag === null || this.#lag > FOLLOW_LAG_MAX) {
      this.#waitingSince = undefined;
      return;
    }
    if (record.mode === "asynchronous") await this.#setFollower(this.#parts.peer);
    else if (this.#waitingSince !== undefined || this.#moves(before)) await this.#catchUp(record);
  }

  /** follower-watch.4. */
  #moves(before: readonly Range[] | undefined): boolean {
    if (this.#parts.home === undefined) return true;
    return before?.every((range) => this.#lacks(range) === 0) === true;
  }

  /** follower-watch.1. */
  async #release({ mode, follower }: TermRecord): Promise<void> {
    const silentMs = this.#parts.clock.monotonic() - this.#reportedAt;
    if (mode !== "asynchronous" || silentMs < LOST_MS) return;
    this.#parts.report("the follower is lost", { follower, silentMs });
    await this.#setFollower(null);
  }

  /** follower-watch.2. */
  async #catchUp({ leaseMs }: TermRecord): Promise<void> {
    const { clock } = this.#parts;
    this.#waitingSince ??= clock.monotonic();
    if (clock.monotonic() - this.#waitingSince < leaseMs * WAIT_FACTOR) return;
    const lasts = await this.#lasts();
    if (lasts === undefined) return;
    const reached = (): boolean => this.#lagOf(lasts) === 0;
    for (let n = 0; n < 10 && !reached(); n++) await this.#waits.for(20);
    if (reached() && !this.#waits.areOver) await this.#setFollower(this.#parts.peer);
  }

  async #setFollower(follower: string | null): Promise<void> {
    const outcome = await this.#term?.change({ follower });
    if (outcome?.kind === "ok") this.#parts.report("the follower has changed", { follower });
  }

  /** follower-watch.3. */
  #isComplete({ term }: TermRecord): boolean {
    return this.#endsTerm === term && this.#ends.size === this.#parts.partitions.length;
  }

  async #lasts(): Promise<readonly Range[] | undefined> {
    const { log, partitions } = this.#parts;
    const states = await Promise.all(
      partitions.map(async (p) => ({ p, outcome: await log.last(p) })),
    );
    const lasts = states.flatMap(({ p, outcome }) =>
      outcome.kind === "ok" ? [{ p, first: outcome.first, last: outcome.last }] : [],
    );
    return lasts.length === partitions.length ? lasts : undefined;
  }

  /**
   * The mirror of an empty log has nothing to receive, although that log ends at a high sequence.
   */
  #lagOf(logs: readonly Range[]): number {
    const lags = logs.map((range) => [range.p, this.#lacks(range)] as const);
    this.#lags = new Map(lags);
    return lags.reduce((sum, [, lag]) => sum + lag, 0);
  }

  #lacks({ p, first, last }: Range): number {
    return Math.max(0, last - Math.max(first - 1, this.#ends.get(p) ?? 0));
  }
}
