// Partition: the life of one partition on one node, from claim to release.
//
// Owns: the state below, one tenure at a time. Does not own: what is served during a tenure
// (tenure.ts), which partitions are ours (placement.ts), performing effects (the shell).
//
//     idle ─claim─▶ claiming ─▶ replaying ─▶ serving ─drain─▶ draining ─▶ idle
//                      ▲  any uncertain (P5) ──────┘ │ a rival's claim
//                      └───────── 3 s ── fenced ◀┘
//
//   partition.1. The first refused append ends the tenure before anything else happens.
//   partition.2. The epoch is the stream sequence of the own-entry.
//   partition.3. Every uncertain has the one cure: the tenure is dropped, and the partition claims again.
//   partition.4. A log that ends below what is archived was lost; nothing is appended to it, not even a claim.
//   partition.5. After a rival's claim it stands back for FENCED_MS, or until `claim` says that the rival is over.
// Every question asked for a tenure carries its number; answers for an older one change nothing.

import { unreachable } from "#shared/kit/assert.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Millis, ProcessId } from "#shared/protocol/ids.ts";
import type { AppendOutcome } from "#shared/ports/log.ts";
import type { Effect, Input, TenureInput } from "./effects.ts";
import { FENCED_MS, FULL_RETRY_MS, RETRY_MS } from "./partition-state.ts";
import { askAgain, busyReply, logBehindArchive, appendClaim } from "./partition-state.ts";
import { appendRelease, rivalOf, serveInput } from "./partition-state.ts";
import type { PartitionState, Rival } from "./partition-state.ts";
import { Tenure } from "./tenure.ts";
import { isOvertaken, Replay } from "./replay.ts";
import type { RoomMemory } from "./room-memory.ts";

export class Partition {
  readonly #node: ProcessId;
  readonly #memory: RoomMemory;
  readonly #wall = { aheadMs: 0 };
  #state: PartitionState = { kind: "idle" };
  #tenureNo = 0;
  #watermark: LogSeq = 0;
  #lastEpoch: Epoch = 0;
  /** How often this partition was claimed, and lost to a rival. For metrics. */
  readonly counts = { claims: 0, refused: 0, fenced: 0 };

  constructor(node: ProcessId, memory: RoomMemory) {
    this.#node = node;
    this.#memory = memory;
  }

  get state(): PartitionState["kind"] {
    return this.#state.kind;
  }

  /** The number that questions of now carry. */
  get tenure(): number {
    return this.#tenureNo;
  }

  get epoch(): Epoch | undefined {
    return this.#state.kind === "serving" ? this.#state.tenure.epoch : undefined;
  }

  /** The epoch until all is settled and released; what beats announce. */
  get holds(): Epoch | undefined {
    return this.#tenure()?.epoch;
  }

  /** Whose claim fenced us off. */
  get rival(): Rival | undefined {
    return this.#state.kind === "fenced" ? this.#state.rival : undefined;
  }

  /** `now` never jumps; `wall` may, and tells what is written down and compared with ids. */
  step(input: Input, now: Millis, wall: Millis = now): Effect[] {
    const effects = this.#step(input, now, wall);
    this.#memory.shed();
    return effects;
  }

  #step(input: Input, now: Millis, wall: Millis): Effect[] {
    this.#wall.aheadMs = wall - now;
    this.#memory.wall = wall;
    if ("tenure" in input && input.tenure !== this.#tenureNo) return [];
    const state = this.#state;
    switch (input.kind) {
      case "claim":
        return state.kind === "idle" || state.kind === "fenced" ? this.#claim() : [];
      case "drain":
        return this.#drain();
      case "superseded":
        return this.#onSuperseded(input.epoch, input.by, now);
      case "unsubscribed":
        if (state.kind !== "draining") return [];
        this.#state = { ...state, unsubscribed: true };
        return this.#release(now);
      case "last":
        return this.#onLast(input, now);
      case "appended":
        return input.n === 0
          ? this.#onClaimOrReleaseAppended(input.outcome, now)
          : this.#onAppended(input.n, input.outcome, now);
      case "watermark-read":
        return this.#onWatermarkRead(input, now);
      case "entry":
        return this.#onEntry(input.logSeq, input.entry, now);
      case "reader-broke":
        if (state.kind !== "replaying") return [];
        state.replay.abandon();
        this.#state = { kind: "watermark", epoch: state.epoch, retryAt: now + RETRY_MS };
        return [{ kind: "log", event: "replay broke", detail: { reason: input.reason } }];
      case "entry-read":
        return state.kind === "judging"
          ? this.#fence(rivalOf({ node: this.#node, epoch: state.epoch }, input), now)
          : (this.#tenure()?.onEntryRead(input.logSeq, input.entry) ?? []);
      case "reconnected":
        return this.#tenure()?.onReconnected(input.awayMs, now) ?? [];
      case "tick":
        return this.#onTick(now);
      case "watermark":
        return this.#onWatermark(input.seq, now);
      case "batch":
      case "flush":
      case "gateway-gone":
      case "gateway-back":
      case "room-loaded":
      case "looked-up":
        return this.#whileServing(input, now);
      default:
        return unreachable(input);
    }
  }

  #whileServing(input: TenureInput, now: Millis): Effect[] {
    if (input.kind === "batch" && this.#state.kind === "claiming" && this.#state.full) {
      return [busyReply(input.batch, this.#lastEpoch)]; // P9
    }
    const tenure = this.#tenure();
    // A draining owner takes nothing new; the lane sends it again to the successor.
    const isLate = input.kind === "batch" && this.#state.kind === "draining";
    return tenure === undefined || isLate ? [] : serveInput(tenure, input, now);
  }

  #onWatermark(seq: LogSeq, now: Millis): Effect[] {
    this.#watermark = Math.max(this.#watermark, seq);
    const tenure = this.#tenure();
    // P14: what is archived and not ours was written by an owner that we never heard of.
    const isBehind = tenure !== undefined && seq > tenure.last;
    return isBehind
      ? this.#onUncertain(tenure, Infinity, { kind: "conflict", last: seq }, now)
      : (tenure?.onWatermark(seq) ?? []);
  }

  #tenure(): Tenure | undefined {
    const state = this.#state;
    const isOn = state.kind === "serving" || (state.kind === "draining" && !state.releasing);
    return isOn ? state.tenure : undefined;
  }

  #claim(): Effect[] {
    this.#tenureNo++;
    this.counts.claims++;
    this.#state = { kind: "claiming", retryAt: Infinity, full: false };
    return [{ kind: "read-last", withArchive: true }, { kind: "changed" }];
  }

  #onLast({ outcome, archived = 0 }: Extract<Input, { kind: "last" }>, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind !== "claiming" && state.kind !== "judging") return [];
    if (outcome.kind === "unknown") {
      this.#state = { ...state, retryAt: now + RETRY_MS };
      return [];
    }
    if (state.kind === "claiming") {
      if (outcome.last >= archived) return [this.#appendClaim(outcome.last, now)];
      this.#state = { ...state, retryAt: now + RETRY_MS, behind: true }; // R1
      return state.behind === true ? [] : [logBehindArchive(outcome.last, archived)];
    }
    if (outcome.last === 0) return this.#claim();
    return [{ kind: "get-entry", logSeq: outcome.last }];
  }

  #appendClaim(expected: LogSeq, now: Millis): Effect {
    return appendClaim(this.#node, now + this.#wall.aheadMs, expected);
  }

  /** A claim or a release was answered. */
  #onClaimOrReleaseAppended(outcome: AppendOutcome, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind === "draining") {
      state.tenure.end();
      this.#state = { kind: "idle" }; // Released, or in uncertain: either way it is not ours any more.
      return [{ kind: "changed" }];
    }
    if (state.kind !== "claiming") return [];
    switch (outcome.kind) {
      case "ok": {
        this.#lastEpoch = outcome.seq; // P2
        this.#state = { kind: "watermark", epoch: outcome.seq, retryAt: Infinity };
        const stop: Effect[] = state.full ? [{ kind: "unsubscribe" }] : [];
        return [...stop, { kind: "read-watermark", claim: outcome.seq }];
      }
      case "conflict":
        if (outcome.last !== undefined) return [this.#appendClaim(outcome.last, now)];
        this.#state = { ...state, retryAt: now + RETRY_MS };
        return [];
      case "full": {
        this.#state = { kind: "claiming", retryAt: now + FULL_RETRY_MS, full: true };
        return state.full ? [] : [{ kind: "subscribe" }];
      }
      case "unknown":
        this.#state = { ...state, retryAt: now + RETRY_MS };
        return [];
      default:
        return unreachable(outcome);
    }
  }

  #onWatermarkRead({ outcome }: Extract<Input, { kind: "watermark-read" }>, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind !== "watermark") return [];
    if (outcome.kind === "unavailable") {
      this.#state = { ...state, retryAt: now + RETRY_MS };
      return [];
    }
    if (isOvertaken(state.epoch, outcome.value)) {
      this.#state = { kind: "judging", epoch: state.epoch, retryAt: Infinity };
      return [{ kind: "get-entry", logSeq: outcome.value.seq }];
    }
    const replay = new Replay(outcome.value, state.epoch, this.#memory);
    this.#state = { kind: "replaying", epoch: state.epoch, replay };
    if (replay.isDone) return this.#serve(state.epoch, replay);
    return [{ kind: "open-reader", from: replay.from }];
  }

  #onEntry(logSeq: LogSeq, entry: DecodedEntry, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind !== "replaying") return [];
    const step = state.replay.onEntry(logSeq, entry);
    if (step.kind === "more") return [];
    if (step.kind === "done") {
      return [{ kind: "close-reader" }, ...this.#serve(state.epoch, state.replay)];
    }
    state.replay.abandon();
    this.#state = { kind: "watermark", epoch: state.epoch, retryAt: now + RETRY_MS }; // P4
    return [{ kind: "close-reader" }];
  }

  #serve(epoch: Epoch, replay: Replay): Effect[] {
    const { watermark, rooms: replayed, unarchived, skipped } = replay;
    const shared = { node: this.#node, memory: this.#memory, wall: this.#wall };
    const tenure = new Tenure({ ...shared, epoch, watermark, replayed, unarchived });
    this.#state = { kind: "serving", tenure };
    const detail = { epoch, watermark, rooms: replayed.size, skipped };
    return [
      { kind: "subscribe" },
      { kind: "changed" },
      { kind: "log", event: "partition serving", detail },
      ...tenure.onBegin(),
      ...tenure.onWatermark(this.#watermark),
    ];
  }

  #onAppended(n: number, outcome: AppendOutcome, now: Millis): Effect[] {
    const tenure = this.#tenure();
    if (tenure === undefined) return [];
    const { effects, uncertain } = tenure.onAppended(n, outcome, now);
    if (uncertain !== undefined)
      return [...effects, ...this.#onUncertain(tenure, n, uncertain, now)];
    return this.#state.kind === "draining" ? [...effects, ...this.#release(now)] : effects;
  }

  #onUncertain(tenure: Tenure, n: number, outcome: AppendOutcome, now: Millis): Effect[] {
    const refused = outcome.kind === "full" ? tenure.onFull(n) : [];
    const { last, epoch } = tenure;
    tenure.end();
    this.#tenureNo++;
    if (outcome.kind === "conflict") this.counts.refused++;
    const detail = { epoch, outcome, expected: last, refused: this.counts.refused };
    const log: Effect = { kind: "log", event: "tenure ended", detail };
    if (this.#state.kind === "draining") {
      this.#state = { kind: "idle" };
      return [...refused, log, { kind: "changed" }];
    }
    if (outcome.kind === "full") {
      this.#state = { kind: "claiming", retryAt: now + FULL_RETRY_MS, full: true };
      return [...refused, log, { kind: "changed" }];
    }
    // P17: who was paused wakes to timeouts, and must not take back what others serve by now.
    this.#state = { kind: "judging", epoch, retryAt: Infinity };
    const at = outcome.kind === "conflict" ? (outcome.last ?? 0) : 0;
    const look: Effect = at > 0 ? { kind: "get-entry", logSeq: at } : { kind: "read-last" };
    return [{ kind: "unsubscribe" }, log, { kind: "changed" }, look];
  }

  /** A paused owner that wakes up hears of its successor sooner than an append could be refused. */
  #onSuperseded(epoch: Epoch, by: ProcessId, now: Millis): Effect[] {
    const tenure = this.#tenure();
    if (tenure === undefined || epoch <= tenure.epoch) return [];
    tenure.end();
    this.#tenureNo++;
    if (this.#state.kind === "draining") {
      this.#state = { kind: "idle" }; // It was to go anyway.
      return [{ kind: "changed" }];
    }
    return [{ kind: "unsubscribe" }, { kind: "changed" }, ...this.#fence({ node: by, epoch }, now)];
  }

  #fence(rival: Rival | undefined, now: Millis): Effect[] {
    if (rival === undefined) return this.#claim();
    this.counts.fenced++;
    this.#state = { kind: "fenced", until: now + FENCED_MS, rival };
    return [
      { kind: "log", event: "partition fenced", detail: { rival: rival.node, ...this.counts } },
    ];
  }

  #drain(): Effect[] {
    const state = this.#state;
    if (state.kind === "draining" || state.kind === "idle") return [];
    if (state.kind === "serving") {
      const { tenure } = state;
      this.#state = { kind: "draining", tenure, unsubscribed: false, releasing: false };
      return [{ kind: "unsubscribe" }, { kind: "changed" }];
    }
    if (state.kind === "replaying") state.replay.abandon();
    this.#tenureNo++;
    const stop: Effect[] = state.kind === "claiming" && state.full ? [{ kind: "unsubscribe" }] : [];
    this.#state = { kind: "idle" };
    return [...stop, { kind: "close-reader" }, { kind: "changed" }];
  }

  /** P10: when the window is settled, the release is written. */
  #release(now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind !== "draining" || !state.unsubscribed || !state.tenure.isIdle) return [];
    if (state.releasing) return [];
    this.#state = { ...state, releasing: true };
    const { epoch, last } = state.tenure;
    return [appendRelease({ epoch, node: this.#node, at: now + this.#wall.aheadMs }, last)];
  }

  #onTick(now: Millis): Effect[] {
    const state = this.#state;
    switch (state.kind) {
      case "claiming":
      case "judging":
      case "watermark":
        if (now < state.retryAt) return [];
        this.#state = { ...state, retryAt: Infinity };
        return [askAgain(state)];
      case "fenced":
        if (now < state.until) return [];
        this.#state = { kind: "idle" };
        return [{ kind: "changed" }];
      case "serving":
      case "draining":
        return this.#tenure()?.onTick(now) ?? [];
      case "idle":
      case "replaying":
        return [];
      default:
        return unreachable(state);
    }
  }
}
