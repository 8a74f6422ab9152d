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
//   region-agent.5. Where both regions serve, an agent has one home, and home-agents.ts answers the
//        processes and the operator for all homes of the region.
//   region-agent.6. After `stop` the agent waits for nothing, tries nothing again and begins no
//        step. A change that was under way is found and ended by the next agent of the region.

import { unreachable } from "#shared/kit/assert.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Witness } from "#shared/ports/witness.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import type {
  AgentState,
  Grant,
  RegionAnswer,
  RegionLog,
  RegionRequest,
  RegionStatus,
  Right,
  TermRecord,
} from "#shared/protocol/regions.ts";
import { WAIT_FACTOR } from "../core/term.ts";
import type { TermOptions } from "../core/term.ts";
import type { Outcome } from "../core/term-io.ts";
import { openDesk, refusal } from "./agent-desk.ts";
import type { FollowerWatch } from "./follower-watch.ts";
import type { Follower } from "./follower.ts";
import { TermRunner } from "./term-runner.ts";
import { Waits } from "./waits.ts";

/** What the agent needs of the logs and the archive of its region. */
export interface RegionStores {
  /** Prepares logs and archive for a new term. Rejects when it must be tried again. */
  promote(record: TermRecord, steps: PromotionSteps): Promise<void>;
  /**
   * Deletes the logs of this region and makes them mirrors of `source`. Where both regions serve,
   * it replaces the archive of the partitions, too.
   */
  follow(source: string): Promise<void>;
  /** In the order of the partitions. */
  logs(): Promise<readonly (RegionLog | undefined)[]>;
  /** The partitions of the term. */
  readonly partitions: readonly Partition[];
}

export interface PromotionSteps {
  /** Grants `archive` from now on, or no longer. */
  archive(on: boolean): void;
  /** Whether this region still holds the term of the promotion. */
  holds(): boolean;
}

export interface AgentOptions extends TermOptions {
  readonly peer: string;
  /** region-agent.5. */
  readonly home?: AgentHome | undefined;
}

export interface AgentHome {
  readonly name: string;
  readonly all: readonly string[];
  readonly partitions: readonly Partition[];
}

export interface AgentParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly witness: Witness;
  readonly stores: RegionStores;
  readonly follower: Follower;
  readonly watch: FollowerWatch;
  readonly report: (event: string, detail: object) => void;
  /** This region has taken the term over from one that did not hand it over. */
  readonly onTakenOver?: () => void;
}

/** The wait before a failed promotion is tried again. */
const AGAIN_MS = 1_000;
const CHECK_MS = 500;
/** Attempts to release a lost follower. The witness may be away for a moment. */
const RELEASES_MAX = 10;
/** How long a hand-over waits for the follower before this region serves again. */
const FOLLOWED_WITHIN_MS = 20_000;
const STOPS = refusal("failed", "the region agent stops");

export class RegionAgent {
  readonly #options: AgentOptions;
  readonly #parts: AgentParts;
  readonly #term: TermRunner;
  readonly #stops: (() => void)[] = [];
  readonly #waits: Waits;
  /** A hand-over is under way: nothing is granted (region-agent.3). */
  #isLeaving = false;
  #grantsArchive = false;
  /** The rows and the mirrors of the home are being replaced: nothing follows meanwhile. */
  #isRejoining = false;
  #promoting: number | undefined;
  #isBusy = false;
  #lastState: AgentState | undefined;
  #lastRecord: TermRecord | undefined;

  constructor(options: AgentOptions, parts: AgentParts) {
    this.#options = options;
    this.#parts = parts;
    const { witness, clock } = parts;
    this.#waits = new Waits(clock);
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
    if (this.#options.home === undefined) this.#stops.push(openDesk(bus, this));
    const timer = clock.every(CHECK_MS, () => this.#onChanged());
    this.#stops.push(() => timer.cancel());
    watch.start({
      record: () => (this.#serves() ? this.#term.core.record : undefined),
      change: (change) => this.#term.change(change),
    });
    follower.start();
    this.#term.start();
  }

  /** region-agent.6. */
  stop(): void {
    this.#waits.end();
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
    return { v: 1, n, ...this.right() };
  }

  right(): Right {
    const { core, now } = this.#term;
    const { record } = core;
    const none = { term: record?.term ?? 0, mirror: null } as const;
    if (this.#mayArchiveMirrors()) {
      return { ...none, for: "follow", leftMs: Math.max(0, core.heardUntil - now) };
    }
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

  /** How long gateways may take clients: another region may serve every home. */
  get clientsMs(): number {
    return Math.max(0, this.#term.core.heardUntil - this.#term.now);
  }

  get home(): AgentHome | undefined {
    return this.#options.home;
  }

  /**
   * Owners no longer wait for the mirror of a region that was lost. It becomes the follower again
   * when its mirror has every entry (follower-watch.2). Never rejects.
   */
  async releaseFollower(): Promise<void> {
    const { report } = this.#parts;
    for (let n = 0; n < RELEASES_MAX; n++) {
      const { record } = this.#term.core;
      if (!this.#serves() || record?.mode !== "synchronous" || record.follower === null) return;
      const outcome = await this.#term.change({ follower: null });
      if (outcome.kind === "ok") {
        report("the follower was lost with its home", { follower: record.follower });
        return;
      }
      if (!(await this.#waits.for(AGAIN_MS))) return;
    }
  }

  async status(): Promise<RegionStatus> {
    const { region, peer, home } = this.#options;
    const { core, now } = this.#term;
    const leftMs = Math.max(0, Math.round(core.leaseUntil - now));
    const logs = await this.#parts.stores.logs().catch((): readonly undefined[] => []);
    const found = logs.flatMap((log) => log ?? []);
    const known = { record: core.record ?? null, leftMs, lag: this.#parts.watch.lag };
    const of = home === undefined ? {} : { home: home.name, homes: home.all };
    return {
      region,
      peer,
      ...of,
      state: this.state,
      ...known,
      logs: await this.#withCommon(found),
    };
  }

  /** Where both regions serve, the archive of a region that follows is made from its mirrors. */
  #mayArchiveMirrors(): boolean {
    const { home, region } = this.#options;
    const { record } = this.#term.core;
    if (home === undefined || record === undefined || record.region === region) return false;
    return this.#parts.follower.isMirroring;
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
    if (this.#waits.areOver) return; // An answer of the witness after `stop`.
    const { core, now } = this.#term;
    const { record } = core;
    const { state } = this;
    if (state !== this.#lastState) {
      this.#lastState = state;
      this.#parts.report("region state changed", { state, term: record?.term, mode: record?.mode });
    }
    if (record !== undefined && !this.#isRejoining) {
      // The ends of mirrors stay true while the witness is away.
      const isOther = record.region !== this.#options.region;
      this.#parts.follower.follow(isOther ? record.term : undefined);
    }
    const before = this.#lastRecord;
    this.#lastRecord = record;
    if (record?.region !== this.#options.region || !core.holds(now)) return;
    const isTaken = before?.region === this.#options.peer && before.phase !== "leaving";
    if (isTaken) this.#parts.onTakenOver?.();
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
    const { stores, report } = this.#parts;
    const { core } = this.#term;
    const holds = (): boolean =>
      !this.#waits.areOver &&
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
        if (this.#waits.areOver) break;
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== lastReason)
          report("promotion failed, and is tried again", { term: record.term, reason });
        lastReason = reason;
      }
      if (core.record?.term !== record.term || core.record.region !== record.region) break;
      if (!(await this.#waits.for(AGAIN_MS))) break;
    }
    this.#grantsArchive = false;
    if (this.#promoting === record.term) this.#promoting = undefined;
  }

  /** Resolves, never rejects. */
  async handle(request: RegionRequest): Promise<RegionAnswer> {
    if (request.home !== this.home?.name && request.home !== undefined) {
      return refusal("bad_request", "this region has no such home");
    }
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
    const { watch, report } = this.#parts;
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
      await this.#rightsEnd();
      const isWhole = await watch.hasAll(FOLLOWED_WITHIN_MS);
      if (this.#waits.areOver) return STOPS; // Rights may not have ended.
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

  /** Resolves true when every right that this agent has given has ended, false when it stops. */
  #rightsEnd(): Promise<boolean> {
    return this.#waits.for(this.#options.leaseMs * WAIT_FACTOR);
  }

  /** `saved`: the ends of the logs that the operator has written to a file. */
  async #rejoin(saved: RegionRequest["saved"]): Promise<RegionAnswer | undefined> {
    const { stores, follower } = this.#parts;
    const { region, home } = this.#options;
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
      const isSame = ends.every(
        (end, index) => end === (saved?.[stores.partitions[index] ?? 0] ?? null),
      );
      if (!isSame) {
        return refusal("not_saved", "the logs hold entries that have not been saved: use --save");
      }
    }
    follower.follow(undefined);
    this.#isRejoining = home !== undefined;
    try {
      if (home !== undefined && !(await this.#rightsEnd())) return STOPS; // Rows are replaced.
      await stores.follow(record.region);
    } finally {
      this.#isRejoining = false;
    }
    if (!this.#waits.areOver) follower.follow(record.term);
    return undefined;
  }

  async #withCommon(logs: readonly RegionLog[]): Promise<readonly RegionLog[]> {
    const { record } = this.#term.core;
    if (record === undefined || record.region === this.#options.region) return logs;
    const history = await this.#parts.witness.history(record.term);
    const { partitions } = this.#parts.stores;
    return logs.map((log) => {
      const common = history?.ends[partitions.indexOf(log.p)];
      return common === undefined ? log : { ...log, common };
    });
  }
}

function refusalOf(outcome: Outcome): RegionAnswer | undefined {
  if (outcome.kind === "ok") return undefined;
  if (outcome.kind === "refused") return refusal(outcome.why, outcome.message);
  return refusal("no_witness", "the witness did not answer: the change may still happen");
}
