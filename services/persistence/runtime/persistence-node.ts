// Persistence node: which partitions this process archives, and its place among its peers.
//
// Owns: one worker per assigned partition, beats. Does not own: what a worker does (worker.ts), who
// should have a partition (core/assignment.ts).
//
//   persistence-node.1. A partition whose write is still in flight when it is given away ends that write first; the
//        next worker may already have begun, and that is harmless (D2).

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
  readonly createWorker: (p: Partition) => ArchiveRunner;
}

export class PersistenceNode {
  readonly #options: PersistenceNodeOptions;
  readonly #members = new LiveProcesses(NODE_TIMEOUT_MS);
  readonly #assignment: Assignment;
  readonly #workers = new Map<Partition, ArchiveRunner>();
  readonly #stopping = new Set<Promise<void>>();
  #beats: Subscription | undefined;
  #timer: Timer | undefined;
  #state: Beat["state"] = "live";

  constructor(options: PersistenceNodeOptions) {
    this.#options = options;
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

  /** What is known here of a partition's archive; undefined where another process works. */
  known(p: Partition): Watermark | undefined {
    return this.#workers.get(p)?.watermark;
  }

  /** The partitions archived here; those whose watermark is not known yet are left out. */
  *assigned(): Generator<readonly [Partition, LogSeq]> {
    for (const [p, { watermark }] of this.#workers) {
      if (watermark !== undefined) yield [p, watermark.seq];
    }
  }

  /** Says so, and ends every write in flight. */
  async leave(): Promise<void> {
    this.#state = "leaving";
    this.#timer?.cancel();
    this.#beats?.unsubscribe();
    this.#beat();
    for (const p of this.#workers.keys()) this.#drop(p);
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
      const worker = this.#options.createWorker(p);
      this.#workers.set(p, worker);
      worker.start();
    }
  }

  #drop(p: Partition): void {
    const worker = this.#workers.get(p);
    this.#workers.delete(p);
    if (worker === undefined) return;
    const stopped = worker.stop().finally(() => this.#stopping.delete(stopped)); // persistence-node.1
    this.#stopping.add(stopped);
  }
}
