// Lane: the ordered command channel from this gateway to the owner of one partition.
//
// Owns: the unanswered commands in order, the incarnation and its batch number, the newest known
// epoch. Does not own: the bus, time, the meaning of a command.
// Commands enter through `submit` and leave in batches. Each one ends in exactly one `answer`.
// After any uncertain outcome the lane begins a new incarnation and resends all unanswered
// commands. The owner's dedupe makes a resend harmless, and commands.2 prevents overtaking.
//
//   lane.1. Batches of an incarnation are numbered 1, 2, 3, … and hold commands in submission
//        order.
//   lane.2. A new incarnation begins with the oldest unanswered command. After a change of the
//        epoch, `sync` comes before everything else (L3).
//   lane.3. A temporary error for a command that was sent more than once becomes `unavailable`: the
//        owner may still accept another copy, so the lane does not know that it was not stored.
//   lane.4. Answers of an older epoch count, because a committed command stays committed. Two do
//        not: that of a `sync`, and a permanent refusal of a write. The newer owner gets or has a
//        copy of that write, and may accept it.
//   lane.5. A leave that timed out makes the next incarnation begin with `sync`, which lists the
//        present users. Otherwise the owner would show that user until its tenure ends. When a
//        leave gets a temporary error, the lane keeps it and resends it, because a join or sync of
//        that user may be resent before it.
//   lane.6. When a send times out or gets a temporary error, later sends of the same sender in that
//        room fail with it. The client may resend all of them through another gateway, and a later
//        one that this lane alone stores would come before the earlier one (O4).
//   lane.7. An owner decides the sends of one sender to a room in order. When a send gets a new
//        number, the owner has decided every earlier send without an answer, and that answer was
//        lost. The lane then asks for the old decision and does not send the message as a new one:
//        an earlier send that the owner refused would get a number behind later ones. It stays
//        refused. A repeated id does not count, since its number may be old. Writes over HTTP have
//        no order key: lane.6 and lane.7 do not apply to them.
//   lane.8. Unanswered commands are bounded in number and bytes (L1) and in time (L2). Leaves pass
//        the bound, since memberships bound them.
//   lane.9. Batches go to the owner of the newest known epoch, so that a paused older owner
//        receives none. While no epoch is known, and for a probe, they go to any owner of the
//        partition.
//   lane.10. After a split of its partition, the unanswered commands of moved rooms continue in the
//        lane of the upper half, in their order, before all later commands of these rooms. Both
//        lanes begin a new incarnation with `sync`.

import { unreachable } from "#shared/kit/assert.ts";
import { encodeCommand, encodeCommandBatch } from "#shared/protocol/command-batch.ts";
import { behaviourOf, COMMANDS } from "#shared/protocol/commands.ts";
import { nextIncarnation } from "#shared/protocol/lane-incarnation.ts";
import { RESYNC_ALL } from "#shared/protocol/results.ts";
import type { Command, Unnumbered } from "#shared/protocol/commands.ts";
import type { Answer } from "#shared/protocol/results.ts";
import type { Epoch, Millis, ProcessId } from "#shared/protocol/ids.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import * as bounds from "./bounds.ts";
import { answered, encodeEntry, firstOf, isFinalRefusal } from "./lane-entry.ts";
import { isPostponed, refusal, takeBatch } from "./lane-entry.ts";
import type { Entry, LaneEffect, LaneInput, NewCommand } from "./lane-io.ts";
import type { SharedBound } from "./shared-bound.ts";
import { syncCommands } from "./sync.ts";
import type { SyncRoom } from "./sync.ts";

export interface LaneOptions {
  readonly gw: ProcessId;
  /** Returns the next command number of this process (commands.1). */
  readonly nextNumber: () => number;
  /** The rooms of this partition that have local members now. */
  readonly localRooms: () => Iterable<SyncRoom>;
  /** The bytes of the commands of all lanes of this process. */
  readonly total?: SharedBound;
}

type Phase =
  /** Batches leave at each flush. */
  | { readonly kind: "flowing" }
  /** One batch probes for an owner; the other commands wait for its answer. */
  | { readonly kind: "probing" }
  /** No batch leaves before `until`. */
  | { readonly kind: "waiting"; readonly until: Millis; readonly sync: boolean };

const FLOWING: Phase = { kind: "flowing" };

export class Lane<T> {
  readonly #options: LaneOptions;
  /** Unanswered commands in submission order. */
  readonly #pending = new Map<number, Entry<T>>();
  /** Unanswered commands of the newest sync. They precede all pending commands. */
  readonly #syncs = new Map<number, Entry<T>>();
  /** Commands that this incarnation has not sent. */
  #queue: Entry<T>[] = [];
  #phase = FLOWING;
  #incarnation = 1;
  #n = 0;
  #epoch: Epoch = 0;
  #bytes = 0;
  /** The oldest epoch that answered a part of the newest sync. */
  #syncedUnder: Epoch = Infinity;
  #progressAt: Millis = 0;
  /** Incarnations since the last answer. */
  #attemptsSinceProgress = 0;
  #isFlushAsked = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  get unanswered(): number {
    return this.#pending.size + this.#syncs.size;
  }

  /** Commands that the next flush sends. */
  get queued(): number {
    return this.#queue.length;
  }

  /** The time of the next `wake` step, unless another input comes first. */
  get wakeAt(): Millis | undefined {
    const oldest = firstOf(this.#pending);
    if (this.#phase.kind === "waiting") {
      return Math.min(this.#phase.until, oldest?.deadline ?? Infinity);
    }
    const head = firstOf(this.#syncs) ?? oldest;
    if (head === undefined) return undefined;
    return Math.min(oldest?.deadline ?? Infinity, this.#stallsAt(head));
  }

  step(input: LaneInput<T>, now: Millis): LaneEffect<T>[] {
    switch (input.kind) {
      case "submit":
        return this.#submit(input.command, input.context, now);
      case "flush":
        this.#isFlushAsked = false;
        return this.#flush(now);
      case "results":
        return this.#onResults(input.epoch, input.answers, now);
      case "resync":
        return this.#onResync(input, now);
      case "no-responders":
        return this.#onNoResponders(input.epoch ?? 0, now);
      case "epoch":
        return this.#onEpoch(input.epoch, now);
      case "split":
        return this.#split(input, now);
      case "adopt":
        return this.#adopt(input.entries, now);
      case "reconnected":
        return this.unanswered === 0 && this.#hasNoRooms() ? [] : this.#begin(true, false, now);
      case "wake":
        return this.#onWake(now);
      default:
        return unreachable(input);
    }
  }

  #submit(command: NewCommand, context: T, now: Millis): LaneEffect<T>[] {
    const entry = this.#entry(command, context, now + bounds.COMMAND_TIMEOUT_MS);
    const isFull =
      this.#pending.size >= bounds.LANE_COMMANDS_MAX ||
      this.#bytes + entry.bytes > bounds.LANE_BYTES_MAX ||
      this.#options.total?.isFull === true;
    if (isFull && COMMANDS[command.op].isRefusable) return [refusal(entry, "busy")]; // lane.8
    if (this.unanswered === 0) this.#onFirst(now);
    this.#pending.set(entry.c, entry);
    this.#add(entry.bytes);
    this.#queue.push(entry);
    return this.#flushSoon();
  }

  /** No command waits for an answer, so a probe would only delay this one. */
  #onFirst(now: Millis): void {
    this.#progressAt = now;
    if (this.#phase.kind === "probing") this.#phase = FLOWING;
  }

  #flushSoon(): LaneEffect<T>[] {
    if (this.#isFlushAsked) return [];
    this.#isFlushAsked = true;
    return [{ kind: "flush-soon" }];
  }

  #flush(now: Millis): LaneEffect<T>[] {
    const effects: LaneEffect<T>[] = [];
    while (this.#queue.length > 0) {
      if (this.#phase.kind === "waiting") break;
      if (this.#phase.kind === "probing" && this.#n > 0) break;
      const taken = takeBatch(this.#queue);
      this.#queue = this.#queue.slice(taken.consumed);
      if (taken.entries.length === 0) continue;
      for (const entry of taken.entries) {
        entry.copies++;
        entry.sentAt = now;
      }
      this.#n++;
      const to = this.#phase.kind === "probing" ? 0 : this.#epoch; // lane.9
      effects.push({ kind: "publish", batch: this.#encode(taken.entries), to });
    }
    return effects;
  }

  #onResults(epoch: Epoch, answers: readonly Answer[], now: Millis): LaneEffect<T>[] {
    const effects: LaneEffect<T>[] = [];
    let hasProgress = false;
    for (const answer of answers) {
      const { c } = answer.result;
      const entry = this.#pending.get(c);
      if (entry !== undefined && isPostponed(answer) && !COMMANDS[entry.op].isRefusable) {
        hasProgress = true; // lane.5
      } else if (entry !== undefined && epoch < this.#epoch && isFinalRefusal(entry, answer)) {
        continue; // lane.4
      } else if (entry !== undefined) {
        this.#markLate(entry, answer);
        this.#settle(entry);
        hasProgress = true;
        effects.push(answered(entry, answer));
        if (isPostponed(answer)) effects.push(...this.#giveUpAfter(entry));
      } else if (this.#syncs.has(c) && epoch >= this.#epoch && "ok" in answer.result) {
        this.#syncs.delete(c); // lane.4
        this.#syncedUnder = Math.min(this.#syncedUnder, epoch);
        hasProgress = true;
        if (answer.result.ok === "synced")
          effects.push({ kind: "heads", heads: answer.result.heads });
      }
    }
    const isNewEpoch = this.#epoch !== 0 && epoch > this.#epoch;
    this.#epoch = Math.max(this.#epoch, epoch);
    const isSynced = this.#syncedUnder === epoch;
    if (isNewEpoch && !isSynced) return [...effects, ...this.#begin(true, false, now)];
    if (!hasProgress) return effects;
    this.#progressAt = now;
    this.#attemptsSinceProgress = 0;
    if (this.#phase.kind !== "probing") return effects;
    this.#phase = FLOWING;
    return [...effects, ...this.#flush(now)];
  }

  #onResync(
    { epoch, incarnation, above }: Extract<LaneInput<T>, { kind: "resync" }>,
    now: Millis,
  ): LaneEffect<T>[] {
    const isNewEpoch = this.#epoch !== 0 && epoch > this.#epoch;
    this.#epoch = Math.max(this.#epoch, epoch);
    if (isNewEpoch || incarnation === RESYNC_ALL) return this.#begin(true, false, now);
    if (incarnation !== this.#incarnation) return [];
    this.#incarnation = above ?? incarnation; // commands.4
    if (this.#phase.kind === "waiting") {
      // An owner answers after all.
      return this.#begin(this.#phase.sync, false, now);
    }
    if (this.#attemptsSinceProgress === 0) return this.#begin(false, false, now);
    return this.#wait(false, now);
  }

  #onNoResponders(of: Epoch, now: Millis): LaneEffect<T>[] {
    if (this.#phase.kind === "waiting") return [];
    // lane.9: everything went to a newer epoch already.
    if (of !== 0 && of !== this.#epoch) return [];
    // The next owner does not have this gateway's members.
    return [...this.#wait(true, now), { kind: "suspect" }];
  }

  #onEpoch(epoch: Epoch, now: Millis): LaneEffect<T>[] {
    if (epoch <= this.#epoch) return [];
    const isFirst = this.#epoch === 0;
    this.#epoch = epoch;
    // No owner has answered before the first epoch is known, so there is nothing to repair.
    return isFirst && this.#phase.kind !== "waiting" ? [] : this.#begin(true, false, now);
  }

  /** lane.10. */
  #split(
    { isMoved, epoch = 0 }: Extract<LaneInput<T>, { kind: "split" }>,
    now: Millis,
  ): LaneEffect<T>[] {
    const entries = [...this.#pending.values()].filter(
      ({ room }) => room !== undefined && isMoved(room),
    );
    for (const { c, bytes } of entries) {
      this.#pending.delete(c);
      this.#add(-bytes);
    }
    this.#epoch = Math.max(this.#epoch, epoch);
    const moved = { kind: "moved", entries } as const;
    if (this.#phase.kind === "waiting") {
      // The queue and the syncs may hold commands of moved rooms until the next incarnation.
      this.#phase = { ...this.#phase, sync: true };
      return [moved];
    }
    return [moved, ...this.#begin(true, false, now)];
  }

  /** lane.10. */
  #adopt(entries: readonly Entry<T>[], now: Millis): LaneEffect<T>[] {
    // Numbers are given in the order of submission, also over lanes.
    const all = [...this.#pending.values(), ...entries].sort((a, b) => a.c - b.c);
    this.#pending.clear();
    for (const entry of all) this.#pending.set(entry.c, entry);
    for (const { bytes } of entries) this.#add(bytes);
    if (this.#phase.kind === "waiting") {
      this.#phase = { ...this.#phase, sync: true };
      return [];
    }
    return this.#begin(true, false, now);
  }

  #onWake(now: Millis): LaneEffect<T>[] {
    const effects: LaneEffect<T>[] = [];
    let mustSync = false;
    const givenUp = new Set<string>();
    for (const entry of this.#pending.values()) {
      // All commands have the same timeout, so they expire in order.
      if (entry.deadline > now && givenUp.size === 0) break;
      if (entry.deadline > now && !givenUp.has(entry.order)) continue;
      if (entry.order !== "") givenUp.add(entry.order); // lane.6
      this.#settle(entry);
      mustSync ||= !COMMANDS[entry.op].isRefusable;
      effects.push(refusal(entry, "unavailable"));
    }
    if (mustSync && this.#phase.kind !== "waiting") {
      return [...effects, ...this.#begin(true, true, now)]; // lane.5
    }
    if (this.#phase.kind === "waiting") {
      if (mustSync) this.#phase = { ...this.#phase, sync: true };
      if (this.#phase.until > now) return effects;
      return [...effects, ...this.#begin(this.#phase.sync, true, now)];
    }
    const head = firstOf(this.#syncs) ?? firstOf(this.#pending);
    if (head === undefined || this.#stallsAt(head) > now) return effects;
    return [...effects, ...this.#begin(false, true, now)];
  }

  #stallsAt(head: Entry<T>): Millis {
    const silent = this.#progressAt + bounds.LANE_STALL_MS;
    return head.copies === 0 ? silent : Math.min(silent, head.sentAt + bounds.LANE_OLDEST_MS);
  }

  /** Nothing leaves for a while. The next incarnation begins with a probe. */
  #wait(sync: boolean, now: Millis): LaneEffect<T>[] {
    const delay = bounds.LANE_RETRY_BASE_MS * 2 ** Math.min(this.#attemptsSinceProgress, 10);
    const until = now + Math.min(delay, bounds.LANE_RETRY_CAP_MS);
    this.#phase = { kind: "waiting", until, sync };
    return [];
  }

  /** Begins a new incarnation: all unanswered commands again, from the oldest on (lane.2). */
  #begin(sync: boolean, probe: boolean, now: Millis): LaneEffect<T>[] {
    this.#incarnation = nextIncarnation(this.#incarnation);
    this.#n = 0;
    this.#attemptsSinceProgress++;
    this.#progressAt = now;
    this.#phase = probe ? { kind: "probing" } : FLOWING;
    if (sync) {
      this.#syncs.clear();
      this.#syncedUnder = Infinity;
      for (const part of syncCommands(this.#options.localRooms())) {
        const entry = this.#entry(part, undefined, Infinity);
        this.#syncs.set(entry.c, entry);
      }
    }
    this.#queue = [...this.#syncs.values(), ...this.#pending.values()];
    return this.#flush(now);
  }

  #hasNoRooms(): boolean {
    for (const _ of this.#options.localRooms()) return false;
    return true;
  }

  #entry(command: Unnumbered<Command>, context: T | undefined, deadline: Millis): Entry<T> {
    const c = this.#options.nextNumber();
    const json = encodeCommand({ c, ...command });
    const bytes = utf8Length(json);
    return {
      c,
      op: command.op,
      room: "room" in command ? command.room : undefined,
      order: behaviourOf(command).order(command),
      json,
      bytes,
      deadline,
      context,
      copies: 0,
      sentAt: 0,
      isDone: false,
      isLate: false,
    };
  }

  /** lane.7. */
  #markLate({ c, order }: Entry<T>, { result }: Answer): void {
    if (order === "" || !("ok" in result) || result.ok !== "sent") return;
    // A repeat may overtake sends that are on their way to the log.
    if (result.repeat === true) return;
    for (const entry of this.#pending.values()) {
      if (entry.c >= c) return;
      if (entry.order === order && entry.copies > 0) entry.isLate = true;
    }
  }

  /** lane.6, for a temporary error from the owner. */
  #giveUpAfter({ c, order }: Entry<T>): LaneEffect<T>[] {
    if (order === "") return [];
    const later = [...this.#pending.values()].filter((item) => item.order === order && item.c > c);
    for (const entry of later) this.#settle(entry);
    return later.map((entry) => refusal(entry, "unavailable"));
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#options.total?.add(bytes);
  }

  #settle(entry: Entry<T>): void {
    this.#pending.delete(entry.c);
    this.#add(-entry.bytes);
    entry.isDone = true;
  }

  /** A CommandBatch of commands that were encoded in `submit`. */
  #encode(entries: readonly Entry<T>[]): string {
    const { gw } = this.#options;
    const commands = entries.map((entry) => encodeEntry(entry));
    return encodeCommandBatch({ gw, lane: this.#incarnation, n: this.#n }, commands);
  }
}
