// Partition: the state machine of one partition on one node, from the claim to the release.
//
// Owns: the state, and at most one tenure at a time. Does not own: the work of a tenure
// (tenure.ts), the choice of partitions to claim (placement.ts), performing effects
// (runtime/partition-runner.ts).
//
//     idle ─claim─▶ claiming ─▶ watermark ─▶ replaying ─▶ serving ─drain─▶ draining ─▶ idle
//                      ▲                                     │
//                      │                          uncertain outcome (P5)
//                      │                                     ▼
//                      ├──── no rival has claimed ─────── judging
//                      │                                     │ a rival has claimed
//                      └── the input `claim` ──────────── fenced ─FENCED_MS─▶ idle
//
// An append has an uncertain outcome when the log refuses it, when its answer times out, and when
// the connection breaks. The owner ends the tenure and reads the last log entry (judging). If
// another node has claimed, the owner is fenced; if not, it claims again. A beat with a newer epoch
// fences the owner without an append. A full log ends the tenure too: commands that were not
// written get `busy`, and the partition claims again after FULL_RETRY_MS (P9).
//
//   partition.1. The first append without a confirmation ends the tenure before any other effect.
//   partition.2. The epoch is the log sequence of the claim.
//   partition.3. Every uncertain outcome is handled in one way: the tenure ends, and the partition
//       claims again or is fenced.
//   partition.4. A log that ends below the archive's watermark has lost entries. The partition
//       appends nothing to it, not even a claim.
//   partition.5. A fenced partition is idle after FENCED_MS. The input `claim` ends this wait when
//       the rival is gone or has released the partition.
//   partition.6. A request carries the number of its tenure. An answer for an older tenure changes
//       nothing.
//   partition.7. A split is the last entry of its tenure. The partition then claims again, and
//       knows its new `of` from the log (P28). An uncertain outcome of a split is one like any
//       other.
//   partition.8. An owner that may have been declared dead takes no batch before it has read the
//       end of the log (P32).

import { unreachable } from "#shared/kit/assert.ts";
import type { CommandBatch } from "#shared/protocol/commands.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { Epoch, LogSeq, Millis, ProcessId } from "#shared/protocol/ids.ts";
import { firstLogSeq, initialOf } from "#shared/protocol/partition-map.ts";
import type { AppendOutcome, LastOutcome } from "#shared/ports/log.ts";
import type { Effect, Input } from "./partition-io.ts";
import { FENCED_MS, FULL_RETRY_MS, NEWER_RETRY_MS, RETRY_MS } from "./partition-state.ts";
import { rivalOf, UNBEGUN_RETRY_MS } from "./partition-state.ts";
import type { PartitionState, Rival } from "./partition-state.ts";
import { busyReply } from "./full-log.ts";
import { Lapse } from "./lapse.ts";
import { Tenure } from "./tenure.ts";
import { isOvertaken, ONLY_PARTITION, Replay } from "./replay.ts";
import type { Place } from "./replay.ts";
import { LogEnds } from "./log-ends.ts";
import type { RoomMemory } from "./room-memory.ts";

export class Partition {
  readonly #node: ProcessId;
  readonly #memory: RoomMemory;
  readonly #wallOffset = { aheadMs: 0 };
  #state: PartitionState = { kind: "idle" };
  #tenureNo = 0;
  #watermark: LogSeq = 0;
  #lastEpoch: Epoch = 0;
  readonly #place: Place;
  #of: number;
  #ends = new LogEnds();
  /** Claims begun, appends refused, and losses to a rival, since the start. For metrics. */
  readonly counts = { claims: 0, refused: 0, fenced: 0 };

  constructor(node: ProcessId, memory: RoomMemory, place: Place = ONLY_PARTITION) {
    this.#node = node;
    this.#memory = memory;
    this.#place = place;
    this.#of = initialOf(place.p, place.first);
  }

  /** The partition serves the rooms with fnv1a32(room) mod `of` = p, as far as this node knows. */
  get of(): number {
    return this.#of;
  }

  /** The partition is an upper half, and the archive does not have the split that begins it. */
  get isUnbegun(): boolean {
    return this.#state.kind === "claiming" && this.#state.unbegun === true;
  }

  /** The archive's watermark with which the partition exists. */
  get #beginsAt(): LogSeq {
    return firstLogSeq(this.#place.p, this.#place.first) - 1;
  }

  /** A split may begin: the archive is close behind the log. */
  get maySplit(): boolean {
    if (this.#state.kind !== "serving") return false;
    return this.#watermark >= (this.#ends.earlier ?? Infinity);
  }

  get state(): PartitionState["kind"] {
    return this.#state.kind;
  }

  /** The number of the current tenure; requests carry it (partition.6). */
  get tenure(): number {
    return this.#tenureNo;
  }

  /** The epoch while this node serves. */
  get epoch(): Epoch | undefined {
    return this.#state.kind === "serving" ? this.#state.tenure.epoch : undefined;
  }

  /** The epoch until the release is written, also during a drain. Beats announce it. */
  get holds(): Epoch | undefined {
    return this.#tenure()?.epoch;
  }

  /** The node that fenced this one. */
  get rival(): Rival | undefined {
    return this.#state.kind === "fenced" ? this.#state.rival : undefined;
  }

  /**
   * Performs one step. `now` is monotonic. `wall` is the wall clock, which may jump: log entries
   * carry it, and message ids are compared with it.
   */
  step(input: Input, now: Millis, wall: Millis = now): Effect[] {
    const effects = this.#step(input, now, wall);
    this.#memory.shed();
    return effects;
  }

  #step(input: Input, now: Millis, wall: Millis): Effect[] {
    this.#wallOffset.aheadMs = wall - now;
    this.#memory.wall = wall;
    if ("tenure" in input && input.tenure !== this.#tenureNo) return []; // partition.6
    const state = this.#state;
    switch (input.kind) {
      case "claim":
        return state.kind === "idle" || state.kind === "fenced" ? this.#claim() : [];
      case "drain":
        return this.#drain();
      case "split":
        return this.#beginSplit();
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
      case "reader-failed":
        if (state.kind !== "replaying") return [];
        state.replay.abandon();
        this.#state = { kind: "watermark", epoch: state.epoch, retryAt: now + RETRY_MS };
        return [{ kind: "log", event: "replay reader failed", detail: { reason: input.reason } }];
      case "entry-read":
        return state.kind === "judging"
          ? this.#fenceOrClaim(rivalOf({ node: this.#node, epoch: state.epoch }, input), now)
          : (this.#tenure()?.onEntryRead(input.logSeq, input.entry) ?? []);
      case "reconnected":
        return [...this.#onLapsed(), ...(this.#tenure()?.onReconnected(input.awayMs, now) ?? [])];
      case "lapsed":
        return this.#onLapsed();
      case "tick":
        return this.#onTick(now);
      case "watermark":
        return this.#onWatermark(input.seq, now);
      case "batch":
        return this.#onBatch(input.batch, now);
      case "flush":
        return this.#tenure()?.onFlush(now) ?? [];
      case "gateway-gone":
        if (state.kind === "serving") state.lapse?.onGatewayGone(input.gateway);
        return this.#tenure()?.onGatewayGone(input.gateway, now) ?? [];
      case "gateway-back":
        return this.#tenure()?.onGatewayBack(input.gateway, now) ?? [];
      case "room-loaded":
        return this.#tenure()?.onRoomLoaded(input, now) ?? [];
      case "looked-up":
        return this.#tenure()?.onLookedUp(input, now) ?? [];
      default:
        return unreachable(input);
    }
  }

  #onBatch(batch: CommandBatch, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind === "serving") {
      if (state.lapse === undefined) return state.tenure.onBatch(batch, now);
      state.lapse.onBatch(batch);
      return [];
    }
    // P9: a full log answers `busy`. In all other states the batch is ignored, and its lane resends
    // it to the next owner.
    return state.kind === "claiming" && state.full ? [busyReply(batch, this.#lastEpoch)] : [];
  }

  #onWatermark(seq: LogSeq, now: Millis): Effect[] {
    this.#watermark = Math.max(this.#watermark, seq);
    const state = this.#state;
    if (this.isUnbegun && state.kind === "claiming" && state.retryAt !== Infinity) {
      this.#state = { ...state, retryAt: Infinity };
      return [{ kind: "read-last", withArchive: true }];
    }
    const tenure = this.#tenure();
    if (tenure === undefined) return [];
    if (seq <= tenure.last) return tenure.onWatermark(seq);
    // P14: another owner wrote the archived entries above this tenure's last append.
    return this.#onUncertain(tenure, Infinity, { kind: "conflict", last: seq }, now);
  }

  /** The tenure while it may still append entries. */
  #tenure(): Tenure | undefined {
    const state = this.#state;
    const isOn = state.kind === "serving" || (state.kind === "draining" && !state.releasing);
    return isOn ? state.tenure : undefined;
  }

  #claim(): Effect[] {
    this.#tenureNo++;
    this.counts.claims++;
    this.#watermark = 0; // Read again before serving: a region may have replaced its archive.
    this.#state = { kind: "claiming", retryAt: Infinity, full: false };
    return [{ kind: "read-last", withArchive: true }, { kind: "changed" }];
  }

  #onLast({ outcome, archived = 0 }: Extract<Input, { kind: "last" }>, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind === "serving") return this.#onLapseRead(state, outcome, now);
    if (state.kind !== "claiming" && state.kind !== "judging") return [];
    if (outcome.kind === "unknown") {
      this.#state = { ...state, retryAt: now + RETRY_MS };
      return [];
    }
    if (state.kind === "claiming") {
      if (archived < this.#beginsAt) {
        // P28. The watermark may have been published while an older answer was on its way.
        const isPublished = this.#watermark >= this.#beginsAt;
        this.#watermark = archived;
        const retryAt = isPublished ? Infinity : now + UNBEGUN_RETRY_MS;
        this.#state = { ...state, retryAt, unbegun: true };
        return isPublished ? [{ kind: "read-last", withArchive: true }] : [];
      }
      this.#state = { ...state, unbegun: false };
      if (outcome.last >= archived) return [this.#appendClaim(outcome.last, now)];
      this.#state = { ...state, retryAt: now + RETRY_MS, behind: true }; // R1
      if (state.behind === true) return [];
      const detail = { last: outcome.last, archived };
      return [{ kind: "log", event: "log behind archive", detail }];
    }
    if (outcome.last === 0) return this.#claim();
    return [{ kind: "get-entry", logSeq: outcome.last }];
  }

  /** P32. */
  #onLapsed(): Effect[] {
    const state = this.#state;
    if (state.kind !== "serving") return [];
    const { tenure, lapse = new Lapse() } = state;
    this.#state = { kind: "serving", tenure, lapse };
    return lapse.read();
  }

  #onLapseRead(
    { tenure, lapse }: Extract<PartitionState, { kind: "serving" }>,
    outcome: LastOutcome,
    now: Millis,
  ): Effect[] {
    if (lapse === undefined) return [];
    const isOver = lapse.onRead(outcome.kind, now + RETRY_MS);
    if (outcome.kind === "ok" && outcome.last > tenure.last) {
      return this.#onUncertain(tenure, Infinity, { kind: "conflict", last: outcome.last }, now);
    }
    if (!isOver) return [];
    this.#state = { kind: "serving", tenure };
    return lapse.end(tenure.epoch);
  }

  #appendClaim(expected: LogSeq, now: Millis): Effect {
    const at = now + this.#wallOffset.aheadMs;
    const text = encodeEntry({ kind: "claim", node: this.#node, at });
    return { kind: "append", n: 0, text, expected };
  }

  /** The answer to a claim, or to a release of a draining owner. */
  #onClaimOrReleaseAppended(outcome: AppendOutcome, now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind === "draining") {
      state.tenure.end();
      if (state.split !== undefined) return this.#onSplitAppended(state, outcome);
      // Also when the outcome is uncertain: this node stops in any case.
      this.#state = { kind: "idle" };
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
    const replay = new Replay(outcome.value, state.epoch, this.#memory, this.#place);
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
    const retryAt = now + (step.kind === "newer" ? NEWER_RETRY_MS : RETRY_MS);
    this.#state = { kind: "watermark", epoch: state.epoch, retryAt }; // P4
    if (step.kind !== "newer") return [{ kind: "close-reader" }];
    const detail = { logSeq, reason: step.reason };
    const event = "log written by a newer version"; // N8
    return [{ kind: "close-reader" }, { kind: "log", event, detail }];
  }

  #serve(epoch: Epoch, replay: Replay): Effect[] {
    const { watermark, rooms: replayed, unarchived, skipped, of } = replay;
    this.#of = of;
    this.#ends = new LogEnds();
    this.#watermark = Math.max(this.#watermark, watermark);
    const tenure = new Tenure({
      node: this.#node,
      epoch,
      watermark,
      replayed,
      unarchived,
      memory: this.#memory,
      wallOffset: this.#wallOffset,
      place: { p: this.#place.p, of },
    });
    this.#state = { kind: "serving", tenure };
    const detail = { epoch, watermark, rooms: replayed.size, skipped, of };
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

  /** Append `n` was not confirmed, or another owner has written: the tenure ends (partition.3). */
  #onUncertain(tenure: Tenure, n: number, outcome: AppendOutcome, now: Millis): Effect[] {
    const refused = outcome.kind === "full" ? tenure.onFull(n) : [];
    const { last, epoch } = tenure;
    tenure.end();
    this.#tenureNo++;
    if (outcome.kind === "conflict") this.counts.refused++;
    const detail = { epoch, outcome, expected: last, refused: this.counts.refused };
    const log: Effect = { kind: "log", event: "tenure ended", detail };
    if (this.#state.kind === "draining" && this.#state.split === undefined) {
      this.#state = { kind: "idle" };
      return [...refused, log, { kind: "changed" }];
    }
    if (outcome.kind === "full") {
      // The drain of a split has ended the subscription, and `busy` needs it (P9).
      const again: Effect[] = this.#state.kind === "draining" ? [{ kind: "subscribe" }] : [];
      this.#state = { kind: "claiming", retryAt: now + FULL_RETRY_MS, full: true };
      return [...refused, log, ...again, { kind: "changed" }];
    }
    // P17: a paused owner finds timeouts when it resumes. It reads the last entry before it claims,
    // so that it does not take the partition from its successor.
    this.#state = { kind: "judging", epoch, retryAt: Infinity };
    const at = outcome.kind === "conflict" ? (outcome.last ?? 0) : 0;
    const readEntry: Effect = at > 0 ? { kind: "get-entry", logSeq: at } : { kind: "read-last" };
    return [{ kind: "unsubscribe" }, log, { kind: "changed" }, readEntry];
  }

  /** A beat of the successor. A paused owner receives it before a refused append. */
  #onSuperseded(epoch: Epoch, by: ProcessId, now: Millis): Effect[] {
    const tenure = this.#tenure();
    if (tenure === undefined || epoch <= tenure.epoch) return [];
    tenure.end();
    this.#tenureNo++;
    if (this.#state.kind === "draining" && this.#state.split === undefined) {
      this.#state = { kind: "idle" };
      return [{ kind: "changed" }];
    }
    return [
      { kind: "unsubscribe" },
      { kind: "changed" },
      ...this.#fenceOrClaim({ node: by, epoch }, now),
    ];
  }

  /** P6: stops for a rival, or claims at once when there is none. */
  #fenceOrClaim(rival: Rival | undefined, now: Millis): Effect[] {
    if (rival === undefined) return this.#claim();
    this.counts.fenced++;
    this.#state = { kind: "fenced", until: now + FENCED_MS, rival };
    const detail = { rival: rival.node, epoch: rival.epoch, ...this.counts };
    return [{ kind: "log", event: "partition fenced", detail }];
  }

  #drain(): Effect[] {
    const state = this.#state;
    if (state.kind === "idle") return [];
    if (state.kind === "draining") {
      // A split that was not written becomes a release. After one that was, no claim follows.
      this.#state = { ...state, split: undefined };
      return [];
    }
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

  /** P28. */
  #beginSplit(): Effect[] {
    const state = this.#state;
    if (state.kind !== "serving" || !this.maySplit) return [];
    const { tenure } = state;
    const split = this.#of * 2;
    this.#state = { kind: "draining", tenure, unsubscribed: false, releasing: false, split };
    return [{ kind: "unsubscribe" }, { kind: "changed" }];
  }

  /** partition.7. The tenure has ended. */
  #onSplitAppended(
    { tenure: { epoch }, split: of }: Extract<PartitionState, { kind: "draining" }>,
    outcome: AppendOutcome,
  ): Effect[] {
    const log: Effect = { kind: "log", event: "partition split", detail: { epoch, of, outcome } };
    if (outcome.kind === "ok") return [log, ...this.#claim()];
    this.#tenureNo++;
    this.#state = { kind: "judging", epoch, retryAt: Infinity };
    return [log, { kind: "changed" }, { kind: "read-last" }];
  }

  /** P10: writes the release after the subscription has ended and the window is settled. */
  #release(now: Millis): Effect[] {
    const state = this.#state;
    if (state.kind !== "draining" || !state.unsubscribed || !state.tenure.isIdle) return [];
    if (state.releasing) return [];
    this.#state = { ...state, releasing: true };
    return [state.tenure.appendEnd(now, state.split)];
  }

  #onTick(now: Millis): Effect[] {
    const state = this.#state;
    switch (state.kind) {
      case "claiming":
        if (now < state.retryAt) return [];
        this.#state = { ...state, retryAt: Infinity };
        return [{ kind: "read-last", withArchive: true }];
      case "watermark":
        if (now < state.retryAt) return [];
        this.#state = { ...state, retryAt: Infinity };
        return [{ kind: "read-watermark", claim: state.epoch }];
      case "judging":
        if (now < state.retryAt) return [];
        this.#state = { ...state, retryAt: Infinity };
        return [{ kind: "read-last" }];
      case "fenced":
        if (now < state.until) return [];
        this.#state = { kind: "idle" };
        return [{ kind: "changed" }];
      case "serving":
        this.#ends.note(state.tenure.last, now);
        return [...(state.lapse?.onTick(now) ?? []), ...state.tenure.onTick(now)];
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
