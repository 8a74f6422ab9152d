// PersistenceNode: runs the archive runners of the partitions that this process archives.
//
// Owns: one runner per assigned partition, beats. Does not own: the work of a runner
// (archive-runner.ts), the assignment of partitions (core/assignment.ts).
//
//   persistence-node.1. A runner that loses its partition ends its write in flight first. The next
//        runner may already have begun, which is harmless (D2).

import { LiveProcesses } from "#shared/kit/live-processes.ts";
import type { LogSeq, Partition, ProcessId } from "#shared/protocol/ids.ts";
import { BEAT_MS, decodeBeat, encodeBeat, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { Assignment } from "../core/assignment.ts";
import type { ArchiveRunner } from "./archive-runner.ts";

export interface PersistenceNodeOptions {
  readonly id: ProcessId;
  readonly partitions: number;
  readonly version: string;
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  readonly clock: Clock;
  readonly createRunner: (p: Partition) => ArchiveRunner;
}

export class PersistenceNode {
  readonly #options: PersistenceNodeOptions;
  readonly #members = new LiveProcesses(NODE_TIMEOUT_MS);
  readonly #assignment: Assignment;
  readonly #runners = new Map<Partition, ArchiveRunner>();
  readonly #stopping = new Set<Promise<void>>();
  #beats: Subscription | undefined;
  #timer: Timer | undefined;
  #state: Beat["state"] = "live";
  #partitions: number;

  constructor(options: PersistenceNodeOptions) {
    this.#options = options;
    this.#partitions = options.partitions;
    this.#assignment = new Assignment(options.id, options.partitions);
  }

  start(): void {
    const { bus, clock } = this.#options;
    this.#beats = bus.subscribe(subjects.beat("persistence"), ({ data }) => {
      const beat = decodeBeat(new TextDecoder().decode(data));
      if (beat === undefined || beat.id === this.#options.id) return;
      if (this.#members.onBeat(beat, clock.monotonic())) this.#assign();
    });
    this.#timer = clock.every(BEAT_MS, () => {
      this.#beat();
      if (this.#members.expire(clock.monotonic()).length > 0) this.#assign();
    });
    this.#beat();
    this.#assign();
  }

  /** More partitions than before exist; fewer change nothing. */
  grow(partitions: number): void {
    if (partitions <= this.#partitions) return;
    this.#partitions = partitions;
    this.#assignment.partitions = partitions;
    if (this.#timer !== undefined && this.#state === "live") this.#assign();
  }

  get partitions(): number {
    return this.#partitions;
  }

  /**
   * The watermark of a partition, as far as this process knows it; undefined where another process
   * archives.
   */
  watermarkOf(p: Partition): Watermark | undefined {
    return this.#runners.get(p)?.watermark;
  }

  /**
   * The partitions archived here, without those whose watermark is not known yet, and without upper
   * halves that have not begun.
   */
  *assigned(): Generator<readonly [Partition, LogSeq]> {
    for (const [p, { watermark, isBegun }] of this.#runners) {
      if (watermark !== undefined && isBegun) yield [p, watermark.seq];
    }
  }

  /** The splits that the archive has, of the partitions that are archived here. */
  *splits(): Generator<readonly [Partition, number]> {
    for (const [p, { watermark }] of this.#runners) {
      if (watermark?.of !== undefined) yield [p, watermark.of];
    }
  }

  /** Announces that it leaves, and ends every write in flight. */
  async leave(): Promise<void> {
    this.#state = "leaving";
    this.#timer?.cancel();
    this.#beats?.unsubscribe();
    this.#beat();
    for (const p of this.#runners.keys()) this.#drop(p);
    await Promise.all(this.#stopping);
  }

  #beat(): void {
    const { bus, id, version } = this.#options;
    bus.publish(subjects.beat("persistence"), encodeBeat({ id, state: this.#state, version }));
  }

  #assign(): void {
    const { take, drop } = this.#assignment.update(this.#members.live());
    for (const p of drop) this.#drop(p);
    for (const p of take) {
      const runner = this.#options.createRunner(p);
      this.#runners.set(p, runner);
      runner.start();
    }
  }

  #drop(p: Partition): void {
    const runner = this.#runners.get(p);
    this.#runners.delete(p);
    if (runner === undefined) return;
    // persistence-node.1
    const stopped = runner.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}
