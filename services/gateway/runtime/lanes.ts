// Lanes: performs the effects of the lanes of all partitions on the bus.
//
// Owns: one lane per partition and its timer, the command number of the gateway (commands.1), the
// subscriptions to the gateway's results and to the beats of room nodes, and what the gateway has
// learned about splits from them.
//
//   runtime/lanes.1. A gateway learns of a split from the owner's `resync`, or from a result or a
//        beat of an upper half. Each of them proves that the split is in the log.

import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { Epoch, Partition, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import { decodeBeat } from "#shared/protocol/beat.ts";
import type { Answer } from "#shared/protocol/results.ts";
import { decodeResults } from "#shared/protocol/results.ts";
import { initialOf, isDoubling } from "#shared/protocol/partition-map.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import { readCommands, subjects } from "#shared/protocol/subjects.ts";
import { encodeSuspectReport } from "#shared/protocol/suspect-report.ts";
import { Lane } from "../core/lane.ts";
import type { Entry, LaneEffect, LaneInput, NewCommand } from "../core/lane-io.ts";
import type { SharedBound } from "../core/shared-bound.ts";
import type { SyncRoom } from "../core/sync.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { Report } from "./report.ts";
import type { FlushScheduler } from "./flush-scheduler.ts";
import { CoalescedTimer } from "./coalesced-timer.ts";

export type OnAnswer = (answer: Answer) => void;

export interface LanesOptions {
  readonly gw: ProcessId;
  readonly map: PartitionMap;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly report: Report;
  readonly refusals: Refusals;
  readonly stats: GatewayStats;
  /** The bytes of the commands of all lanes. */
  readonly total: SharedBound;
  readonly localRooms: (p: Partition) => Iterable<SyncRoom>;
  /** Rooms of these partitions have moved to upper halves. Called before the lanes go on. */
  readonly onSplit: (split: readonly Partition[]) => void;
  readonly onHeads: (heads: readonly (readonly [RoomId, Seq, string])[]) => void;
}

const decoder = new TextDecoder();

interface Runner {
  readonly p: Partition;
  readonly lane: Lane<OnAnswer>;
  readonly timer: CoalescedTimer;
  readonly queued: number;
  flush(): void;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #runners = new Map<Partition, Runner>();
  readonly #subscriptions: Subscription[] = [];
  #number = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  start(): void {
    const { bus, gw } = this.#options;
    this.#subscriptions.push(
      bus.subscribe(subjects.results(gw), (message) => this.#onResults(message)),
      bus.subscribe(subjects.beat("room"), (message) => this.#onBeat(message)),
    );
  }

  stop(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const { timer } of this.#runners.values()) timer.cancel();
  }

  /** Calls `onAnswer` exactly once, after `submit` returned. */
  submit(command: NewCommand, onAnswer: OnAnswer): void {
    const p = this.#options.map.partitionOf(command.room);
    let hasReturned = false;
    const context: OnAnswer = (answer) => {
      if (hasReturned) onAnswer(answer);
      else this.#options.clock.soon(() => onAnswer(answer)); // The lane was full.
    };
    this.#step(this.#at(p), { kind: "submit", command, context });
    hasReturned = true;
  }

  /** The bus reconnected. */
  onReconnected(): void {
    for (const runner of this.#runners.values()) this.#step(runner, { kind: "reconnected" });
  }

  get unanswered(): number {
    let sum = 0;
    for (const { lane } of this.#runners.values()) sum += lane.unanswered;
    return sum;
  }

  #runner(p: Partition): Runner {
    const { gw, clock, localRooms, total } = this.#options;
    const lane = new Lane<OnAnswer>({
      gw,
      nextNumber: () => ++this.#number,
      localRooms: () => localRooms(p),
      total,
    });
    const timer = new CoalescedTimer(clock, () => this.#step(runner, { kind: "wake" }));
    const runner = {
      p,
      lane,
      timer,
      get queued() {
        return lane.queued;
      },
      flush: () => this.#step(runner, { kind: "flush" }),
    };
    return runner;
  }

  /** The lane of `p`, created when it is needed first. */
  #at(p: Partition): Runner {
    let runner = this.#runners.get(p);
    if (runner === undefined) this.#runners.set(p, (runner = this.#runner(p)));
    return runner;
  }

  /** runtime/lanes.1. True: commands of `p` were readdressed. */
  #learn(p: Partition, of?: number, epoch?: Epoch): boolean {
    const { map, onSplit, report } = this.#options;
    const split = map.learn(p, of);
    if (split.length === 0) return false;
    report("partition split", { split, p, of: map.of(p) });
    onSplit(split);
    const lanes = new Set<Partition>();
    for (const at of split) {
      for (let half = map.of(at) / 2; half > at && half >= map.first; half /= 2) {
        lanes.add(at + half);
      }
    }
    const moved = new Map<Partition, Entry<OnAnswer>[]>();
    for (const at of split) {
      const isMoved = (room: RoomId): boolean => map.partitionOf(room) !== at;
      const own = at === p ? epoch : undefined;
      for (const entry of this.#step(this.#at(at), { kind: "split", isMoved, epoch: own })) {
        if (entry.room === undefined) continue;
        const to = map.partitionOf(entry.room);
        moved.set(to, [...(moved.get(to) ?? []), entry]);
      }
    }
    for (const to of moved.keys()) lanes.add(to);
    // Also without a command: the new owner needs the members of the moved rooms.
    for (const to of lanes) {
      this.#step(this.#at(to), { kind: "adopt", entries: moved.get(to) ?? [] });
    }
    return split.includes(p);
  }

  /** Returns the entries that leave the lane. */
  #step(runner: Runner, input: LaneInput<OnAnswer>): readonly Entry<OnAnswer>[] {
    const effects = runner.lane.step(input, this.#options.clock.monotonic());
    let moved: readonly Entry<OnAnswer>[] = [];
    for (const effect of effects) {
      if (effect.kind === "moved") moved = effect.entries;
      else this.#perform(runner, effect);
    }
    runner.timer.set(runner.lane.wakeAt);
    return moved;
  }

  #perform(runner: Runner, effect: Exclude<LaneEffect<OnAnswer>, { kind: "moved" }>): void {
    const { bus, gw, scheduler, onHeads, report } = this.#options;
    switch (effect.kind) {
      case "flush-soon":
        return scheduler.lane(runner);
      case "publish":
        bus.publish(subjectOf(runner.p, effect.to), effect.batch, subjects.results(gw));
        return;
      case "answer":
        return effect.context(effect.answer);
      case "heads":
        return onHeads(effect.heads);
      case "suspect":
        this.#options.stats.suspects++;
        report("no owner responds", { p: runner.p, epoch: runner.lane.epoch });
        bus.publish(subjects.suspect(runner.p), encodeSuspectReport(runner.p));
        return;
    }
  }

  #onResults(message: BusMessage): void {
    if (message.noResponders !== undefined) {
      const { p, epoch } = readCommands(message.noResponders);
      const runner = this.#runners.get(p);
      if (runner !== undefined) this.#step(runner, { kind: "no-responders", epoch });
      return;
    }
    const batch = decodeResults(message.data, (bytes) => decoder.decode(bytes));
    if (batch === undefined || !this.#isPossible(batch.p)) {
      return this.#refuse("results", message); // N5
    }
    const { p, epoch, answers, resync, above, of } = batch;
    if (this.#learn(p, of, epoch)) return;
    const runner = this.#at(p);
    if (resync === undefined) this.#step(runner, { kind: "results", epoch, answers });
    else {
      this.#options.stats.resyncs++;
      this.#step(runner, { kind: "resync", epoch, incarnation: resync, above });
    }
  }

  /** Whether doubling can lead to this partition. */
  #isPossible(p: Partition): boolean {
    const { first } = this.#options.map;
    return isDoubling(initialOf(p, first), first);
  }

  #refuse(what: "results" | "beat", { data }: BusMessage): void {
    this.#options.stats.refused.add(what);
    this.#options.refusals.add(what, { size: data.length });
  }

  #onBeat(message: BusMessage): void {
    const beat = decodeBeat(decoder.decode(message.data));
    if (beat === undefined) {
      return this.#refuse("beat", message); // N5
    }
    for (const [name, epoch] of Object.entries(beat.owns ?? {})) {
      const p = Number(name);
      if (!this.#isPossible(p)) continue;
      this.#learn(p);
      const runner = this.#at(p);
      if (epoch > runner.lane.epoch) this.#step(runner, { kind: "epoch", epoch });
    }
  }
}

function subjectOf(p: Partition, epoch: Epoch): string {
  return epoch === 0 ? subjects.commands(p) : subjects.commandsOf(p, epoch);
}
