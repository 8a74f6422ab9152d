// Lanes: performs the effects of the lanes of all partitions on the bus.
//
// Owns: one lane per partition and its timer, the command number of the gateway (commands.1), the
// subscriptions to the gateway's results and to the beats of room nodes.

import { assert } from "#shared/kit/assert.ts";
import type { Refusals } from "#shared/kit/refusals.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { Epoch, Partition, ProcessId, RoomId, Seq } from "#shared/protocol/ids.ts";
import { decodeBeat } from "#shared/protocol/beat.ts";
import type { Answer } from "#shared/protocol/commands.ts";
import { decodeResults } from "#shared/protocol/results.ts";
import { readCommands, subjects } from "#shared/protocol/subjects.ts";
import { encodeSuspectReport } from "#shared/protocol/suspect-report.ts";
import { Lane } from "../core/lane.ts";
import type { LaneEffect, LaneInput, NewCommand } from "../core/lane-io.ts";
import type { SharedBound } from "../core/shared-bound.ts";
import type { SyncRoom } from "../core/sync.ts";
import type { GatewayStats } from "./gateway-stats.ts";
import type { Report } from "./report.ts";
import type { FlushScheduler } from "./flush-scheduler.ts";
import { CoalescedTimer } from "./coalesced-timer.ts";

export type OnAnswer = (answer: Answer) => void;

export interface LanesOptions {
  readonly gw: ProcessId;
  readonly partitions: number;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly report: Report;
  readonly refusals: Refusals;
  readonly stats: GatewayStats;
  /** The bytes of the commands of all lanes. */
  readonly total: SharedBound;
  readonly localRooms: (p: Partition) => Iterable<SyncRoom>;
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
  readonly #runners: readonly Runner[];
  readonly #subscriptions: Subscription[] = [];
  #number = 0;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#runners = Array.from({ length: options.partitions }, (_, p) => this.#runner(p));
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
    for (const { timer } of this.#runners) timer.cancel();
  }

  /** Calls `onAnswer` exactly once, after `submit` returned. */
  submit(command: NewCommand, onAnswer: OnAnswer): void {
    const p = partitionOf(command.room, this.#options.partitions);
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
    for (const runner of this.#runners) this.#step(runner, { kind: "reconnected" });
  }

  get unanswered(): number {
    return this.#runners.reduce((sum, { lane }) => sum + lane.unanswered, 0);
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

  #at(p: Partition): Runner {
    const runner = this.#runners[p];
    assert(runner !== undefined, "a partition has a lane");
    return runner;
  }

  #step(runner: Runner, input: LaneInput<OnAnswer>): void {
    const effects = runner.lane.step(input, this.#options.clock.monotonic());
    for (const effect of effects) this.#perform(runner, effect);
    runner.timer.set(runner.lane.wakeAt);
  }

  #perform(runner: Runner, effect: LaneEffect<OnAnswer>): void {
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
      const runner = this.#runners[p];
      if (runner !== undefined) this.#step(runner, { kind: "no-responders", epoch });
      return;
    }
    const batch = decodeResults(message.data, (bytes) => decoder.decode(bytes));
    if (batch === undefined || batch.p >= this.#runners.length) {
      return this.#refuse("results", message); // N5
    }
    const { epoch, answers, resync, above } = batch;
    const runner = this.#at(batch.p);
    if (resync === undefined) this.#step(runner, { kind: "results", epoch, answers });
    else {
      this.#options.stats.resyncs++;
      this.#step(runner, { kind: "resync", epoch, incarnation: resync, above });
    }
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
      const runner = this.#runners[Number(name)];
      if (runner !== undefined && epoch > runner.lane.epoch) {
        this.#step(runner, { kind: "epoch", epoch });
      }
    }
  }
}

function subjectOf(p: Partition, epoch: Epoch): string {
  return epoch === 0 ? subjects.commands(p) : subjects.commandsOf(p, epoch);
}
