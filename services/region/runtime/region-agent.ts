// RegionAgent: decides what the processes of its region may do, and performs the changes that an
// operator requests.
//
// Owns: grants, the order of a promotion and of a hand-over, the state that `parley region status`
// shows. Does not own: the lease (core/term.ts), the logs and the archive (runtime/promotion.ts),
// the reports of mirrors (runtime/follower.ts, runtime/follower-watch.ts).
//
//   region-agent.1. A grant is answered only while this region holds the term, and for the time
//        that its lease has left at the moment of the answer.
//   region-agent.2. `everything` is granted in the phase `serving` only. So no room node claims
//        before the logs are prepared.
//   region-agent.3. A hand-over first stops all grants and lets the given ones end, then waits
//        until the follower has every entry, and only then changes the record. When that fails,
//        this region serves again.
//   region-agent.4. One change of an operator is under way at a time; another one gets `busy`.

import { unreachable } from "#shared/kit/assert.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Witness } from "#shared/ports/witness.ts";
import {
  decodeGrantRequest,
  decodeRegionRequest,
  encodeGrant,
  encodeRegionAnswer,
} from "#shared/protocol/regions.ts";
import type {
  AgentState,
  Grant,
  RegionAnswer,
  RegionLog,
  RegionRefusal,
  RegionRequest,
  RegionStatus,
  TermRecord,
} from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { WAIT_FACTOR } from "../core/term.ts";
import type { TermOptions } from "../core/term.ts";
import type { Outcome } from "../core/term-io.ts";
import type { FollowerWatch } from "./follower-watch.ts";
import type { Follower } from "./follower.ts";
import { TermRunner } from "./term-runner.ts";

/** What the agent needs of the logs and the archive of its region. */
export interface RegionStores {
  /** Prepares logs and archive for a new term. Rejects when it must be tried again. */
  promote(record: TermRecord, steps: PromotionSteps): Promise<void>;
  /** Deletes the logs of this region and makes them mirrors of `source`. */
  follow(source: string): Promise<void>;
  logs(): Promise<readonly (RegionLog | undefined)[]>;
}

export interface PromotionSteps {
  /** Grants `archive` from now on, or no longer. */
  archive(on: boolean): void;
  /** Whether this region still holds the term of the promotion. */
  holds(): boolean;
}

export interface AgentOptions extends TermOptions {
  readonly peer: string;
}

export interface AgentParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly witness: Witness;
  readonly stores: RegionStores;
  readonly follower: Follower;
  readonly watch: FollowerWatch;
  readonly report: (event: string, detail: object) => void;
}

const AGENT_QUEUE = "region";
/** The wait before a failed promotion is tried again. */
const AGAIN_MS = 1_000;
const CHECK_MS = 500;
/** How long a hand-over waits for the follower before this region serves again. */
const FOLLOWED_WITHIN_MS = 20_000;

export class RegionAgent {
  readonly #options: AgentOptions;
  readonly #parts: AgentParts;
  readonly #term: TermRunner;
  readonly #stops: (() => void)[] = [];
  /** A hand-over is under way: nothing is granted (region-agent.3). */
  #isLeaving = false;
  #grantsArchive = false;
  #promoting: number | undefined;
  #isBusy = false;
  #lastState: AgentState | undefined;

  constructor(options: AgentOptions, parts: AgentParts) {
    this.#options = options;
    this.#parts = parts;
    const { witness, clock } = parts;
    this.#term = new TermRunner(options, { witness, clock, onChanged: () => this.#onChanged() });
  }

  get term(): TermRunner["core"] {
    return this.#term.core;
  }

  get now(): number {
    return this.#term.now;
  }

  start(): void {
    const { bus, clock, watch, follower } = this.#parts;
    const queue = { queue: AGENT_QUEUE };
    const subscriptions: Subscription[] = [
      bus.subscribe(subjects.regionGrant, (message) => this.#onGrantRequest(message), queue),
      bus.subscribe(subjects.regionControl, (message) => this.#onControl(message), queue),
    ];
    const timer = clock.every(CHECK_MS, () => this.#onChanged());
    this.#stops.push(
      () => subscriptions.forEach((one) => one.unsubscribe()),
      () => timer.cancel(),
    );
    watch.start({
      record: () => (this.#serves() ? this.#term.core.record : undefined),
      change: (change) => this.#term.change(change),
    });
    follower.start();
    this.#term.start();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#term.stop();
    this.#parts.watch.stop();
    this.#parts.follower.stop();
  }

  get state(): AgentState {
    const { region } = this.#options;
    const { core, now } = this.#term;
    const { record } = core;
    if (core.sight === undefined) return "no-witness";
    if (record === undefined) return "no-term";
    if (record.region === region) {
      if (!core.holds(now)) return this.#isLeaving ? "leaving" : "lapsed";
      return this.#isLeaving ? "leaving" : record.phase;
    }
    if (!core.isWitnessed(now)) return "no-witness";
    if (record.follower === region) return "following";
    return this.#parts.follower.isMirroring ? "catching-up" : "detached";
  }

  /** What a process may do now (region-agent.1). */
  grant(n: number): Grant {
    const { core, now } = this.#term;
    const { record } = core;
    const none = { v: 1, n, term: record?.term ?? 0, mirror: null } as const;
    const leftMs = Math.max(0, core.leaseUntil - now);
    if (record === undefined || !this.#mayGrant(record) || !(leftMs > 0)) {
      return { ...none, for: "nothing", leftMs: 0 };
    }
    const { mode, follower, phase } = record;
    if (phase === "promoting") {
      return { ...none, for: this.#grantsArchive ? "archive" : "nothing", leftMs };
    }
    const mirror = mode === "synchronous" ? (follower ?? this.#parts.watch.catchingUp) : null;
    return { ...none, for: "everything", leftMs, mirror };
  }

  async status(): Promise<RegionStatus> {
    const { region, peer } = this.#options;
    const { core, now } = this.#term;
    const leftMs = Math.max(0, Math.round(core.leaseUntil - now));
    const logs = await this.#parts.stores.logs().catch((): readonly undefined[] => []);
    const found = logs.flatMap((log) => log ?? []);
    const known = { record: core.record ?? null, leftMs, lag: this.#parts.watch.lag };
    return { region, peer, state: this.state, ...known, logs: await this.#withCommon(found) };
  }

  #mayGrant(record: TermRecord): boolean {
    return record.region === this.#options.region && !this.#isLeaving && record.phase !== "leaving";
  }

  #serves(): boolean {
    const { core, now } = this.#term;
    const { record } = core;
    return (
      record !== undefined &&
      this.#mayGrant(record) &&
      core.holds(now) &&
      record.phase === "serving"
    );
  }

  #onChanged(): void {
    const { core, now } = this.#term;
    const { record } = core;
    const { state } = this;
    if (state !== this.#lastState) {
      this.#lastState = state;
      this.#parts.report("region state changed", { state, term: record?.term, mode: record?.mode });
    }
    if (record !== undefined) {
      // The ends of mirrors stay true while the witness is away.
      const isOther = record.region !== this.#options.region;
      this.#parts.follower.follow(isOther ? record.term : undefined);
    }
    if (record?.region !== this.#options.region || !core.holds(now)) return;
    if (record.phase === "promoting") void this.#promote(record);
    // This process has restarted during a hand-over.
    else if (record.phase === "leaving" && !this.#isLeaving) {
      this.#isLeaving = true;
      void this.#term.change({ phase: "serving" }).then(() => {
        this.#isLeaving = false;
      });
    }
  }

  async #promote(record: TermRecord): Promise<void> {
    if (this.#promoting === record.term) return;
    this.#promoting = record.term;
    const { stores, report, clock } = this.#parts;
    const { core } = this.#term;
    const holds = (): boolean =>
      core.record?.term === record.term &&
      core.record.region === record.region &&
      core.holds(this.#term.now);
    const steps: PromotionSteps = {
      holds,
      archive: (on) => {
        this.#grantsArchive = on;
      },
    };
    const began = this.#term.now;
    let lastReason = "";
    for (;;) {
      try {
        await stores.promote(record, steps);
        if (!holds()) break;
        const outcome = await this.#term.change({ phase: "serving" });
        if (outcome.kind === "ok") {
          report("region promoted", { term: record.term, ms: Math.round(this.#term.now - began) });
          break;
        }
      } catch (error: unknown) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== lastReason)
          report("promotion failed, and is tried again", { term: record.term, reason });
        lastReason = reason;
      }
      if (core.record?.term !== record.term || core.record.region !== record.region) break;
      await new Promise<void>((run) => clock.after(AGAIN_MS, run));
    }
    this.#grantsArchive = false;
    if (this.#promoting === record.term) this.#promoting = undefined;
  }

  #onGrantRequest({ data, reply }: BusMessage): void {
    const request = decodeGrantRequest(new TextDecoder().decode(data));
    if (request === undefined || reply === undefined) return; // N5
    this.#parts.bus.publish(reply, encodeGrant(this.grant(request.n)));
  }

  #onControl({ data, reply }: BusMessage): void {
    if (reply === undefined) return;
    const answer = (whole: RegionAnswer): void => {
      this.#parts.bus.publish(reply, encodeRegionAnswer(whole));
    };
    const request = decodeRegionRequest(new TextDecoder().decode(data));
    if (request === undefined) {
      answer(refusal("bad_request", "the agent does not know this request"));
      return;
    }
    void this.handle(request).then(answer);
  }

  /** Resolves, never rejects. */
  async handle(request: RegionRequest): Promise<RegionAnswer> {
    if (request.verb === "status") return { v: 1, ok: await this.status() };
    if (this.#isBusy) return refusal("busy", "another change of the region is under way");
    this.#isBusy = true; // region-agent.4
    this.#parts.report("region command", { ...request });
    try {
      const refused = await this.#change(request);
      return refused ?? { v: 1, ok: await this.status() };
    } catch (error: unknown) {
      return refusal("failed", error instanceof Error ? error.message : String(error));
    } finally {
      this.#isBusy = false;
    }
  }

  /** Undefined: done. */
  async #change(request: RegionRequest): Promise<RegionAnswer | undefined> {
    switch (request.verb) {
      case "promote":
        return refusalOf(await this.#term.take(request.acceptLoss === true));
      case "mode":
        return this.#setMode(request.mode);
      case "demote":
        return this.#handOver();
      case "rejoin":
        return this.#rejoin(request.saved);
      case "status":
        return undefined;
      default:
        return unreachable(request.verb);
    }
  }

  async #setMode(mode: RegionRequest["mode"]): Promise<RegionAnswer | undefined> {
    if (mode === undefined) return refusal("bad_request", "the mode is missing");
    if (!this.#serves()) return refusal("not_serving", "this region does not serve");
    if (this.#term.core.record?.mode === mode) return undefined;
    // The mirror may lack entries that were acknowledged. It becomes the follower again when it has
    // them all (follower-watch.2).
    const change = mode === "synchronous" ? { mode, follower: null } : { mode };
    return refusalOf(await this.#term.change(change));
  }

  /** region-agent.3. */
  async #handOver(): Promise<RegionAnswer | undefined> {
    const { watch, clock, report } = this.#parts;
    const { record } = this.#term.core;
    if (!this.#serves() || record === undefined) {
      return refusal("not_serving", "this region does not serve");
    }
    const { follower } = record;
    if (follower === null) return refusal("no_follower", "no region follows this one");
    this.#isLeaving = true;
    try {
      const leaving = await this.#term.change({ phase: "leaving" });
      if (leaving.kind !== "ok") return refusalOf(leaving);
      await new Promise<void>((run) => clock.after(this.#options.leaseMs * WAIT_FACTOR, run));
      const isWhole = await watch.hasAll(FOLLOWED_WITHIN_MS);
      if (isWhole) {
        const next = {
          region: follower,
          follower: null,
          phase: "promoting",
          logs: "whole",
        } as const;
        return refusalOf(await this.#term.change(next));
      }
      report("hand-over failed: the follower lacks entries", { follower });
      await this.#term.change({ phase: "serving" });
      return refusal("failed", `${follower} does not have every entry; this region serves again`);
    } finally {
      this.#isLeaving = false;
    }
  }

  /** `saved`: the ends of the logs that the operator has written to a file. */
  async #rejoin(saved: RegionRequest["saved"]): Promise<RegionAnswer | undefined> {
    const { stores, follower } = this.#parts;
    const { region } = this.#options;
    const { core, now } = this.#term;
    const { record } = core;
    if (record === undefined || !core.isWitnessed(now)) {
      return refusal("no_witness", "the witness does not answer, or has no term");
    }
    if (record.region === region) return refusal("term_held", "this region holds the term itself");
    if (record.follower === region) return refusal("bad_request", "this region follows already");
    const logs = await stores.logs();
    const ends = logs.map((log) => (log === undefined || log.isMirror ? null : log.last));
    if (ends.some((end) => end !== null && end > 0)) {
      const isSame = ends.every((end, p) => end === (saved?.[p] ?? null));
      if (!isSame) {
        return refusal("not_saved", "the logs hold entries that have not been saved: use --save");
      }
    }
    follower.follow(undefined);
    await stores.follow(record.region);
    follower.follow(record.term);
    return undefined;
  }

  async #withCommon(logs: readonly RegionLog[]): Promise<readonly RegionLog[]> {
    const { record } = this.#term.core;
    if (record === undefined || record.region === this.#options.region) return logs;
    const history = await this.#parts.witness.history(record.term);
    return logs.map((log) => {
      const common = history?.ends[log.p];
      return common === undefined ? log : { ...log, common };
    });
  }
}

function refusal(error: RegionRefusal, message: string): RegionAnswer {
  return { v: 1, error, message };
}

function refusalOf(outcome: Outcome): RegionAnswer | undefined {
  if (outcome.kind === "ok") return undefined;
  if (outcome.kind === "refused") return refusal(outcome.why, outcome.message);
  return refusal("no_witness", "the witness did not answer: the change may still happen");
}
