// PersistenceNode: runs the archive runners of the partitions that this process archives.
//
// Owns: one runner per assigned partition, beats. Does not own: the work of a runner
// (archive-runner.ts), the assignment of partitions (core/assignment.ts).
//
//   persistence-node.1. A runner that loses its partition ends its write in flight first. The next
//        runner may already have begun, which is harmless (D2).
//   persistence-node.2. A peer whose beat is late is pinged, so that the partitions of a killed
//        process get another runner without waiting for the beat timeout. While partitions may be
//        split every peer is pinged all the time: the rooms that move wait for the archive (P28),
//        and a late beat alone would cost them more than a second. A peer that is declared dead
//        wrongly returns with its next beat.
//   persistence-node.3. The silence of peers does not count while this process was disconnected
//        from the bus.
//   persistence-node.4. Where both regions serve, a partition has a runner while its home has a
//        term in which this process may archive it, and each term has a runner of its own. The rows
//        of the partition may have been replaced in between.
//   persistence-node.5. It looks at its peers when the first of them may be late, and not before.
//        Without peers it does not look.

import { LiveProcesses } from "#shared/kit/live-processes.ts";
import type { LogSeq, Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import { PeerPings } from "#shared/process/peer-pings.ts";
import { BEAT_MS, decodeBeat, encodeBeat, NODE_TIMEOUT_MS } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { Watermark } from "#shared/ports/archive.ts";
import { Assignment } from "../core/assignment.ts";
import type { ArchiveRunner } from "./archive-runner.ts";

/** A peer without a beat for this long is pinged (persistence-node.2). */
const LATE_MS = BEAT_MS + 200;
/** The interval of looks at peers while one of them is late, or partitions may be split. */
const TICK_MS = 100;
/**
 * How long partitions may be split after their number has grown. Longer where an upper half that is
 * archived here has not begun. The owners split one partition after the other.
 */
const SPLIT_MS = 60_000;

export interface PersistenceNodeOptions {
  readonly id: ProcessId;
  readonly partitions: number;
  readonly version: string;
  readonly bus: Pick<Bus, "publish" | "subscribe" | "request" | "status" | "onStatus">;
  readonly clock: Clock;
  readonly createRunner: (p: Partition) => ArchiveRunner;
  /** persistence-node.4. Undefined: it may not now. Left out: every partition, always. */
  readonly termOf?: ((p: Partition) => number | undefined) | undefined;
}

export class PersistenceNode {
  readonly #options: PersistenceNodeOptions;
  readonly #members = new LiveProcesses(NODE_TIMEOUT_MS);
  readonly #assignment: Assignment;
  readonly #runners = new Map<Partition, ArchiveRunner>();
  /** The term in which each runner began. */
  readonly #terms = new Map<Partition, number>();
  readonly #stopping = new Set<Promise<void>>();
  readonly #pings: PeerPings;
  readonly #subscriptions: Subscription[] = [];
  readonly #timers: Timer[] = [];
  #state: Beat["state"] = "live";
  #partitions: number;
  #splitUntil: Millis = -Infinity;
  #nextTick: Timer | undefined;

  constructor(options: PersistenceNodeOptions) {
    this.#options = options;
    this.#partitions = options.partitions;
    this.#assignment = new Assignment(options.id, options.partitions);
    const { id: self, bus, clock } = options;
    this.#pings = new PeerPings({
      self,
      subjectOf: subjects.archivePing,
      bus,
      clock,
      onDead: (peer) => this.#onDead(peer),
    });
  }

  start(): void {
    const { bus, clock } = this.#options;
    this.#pings.start();
    this.#subscriptions.push(
      bus.subscribe(subjects.beat("persistence"), ({ data }) => {
        const beat = decodeBeat(new TextDecoder().decode(data));
        if (beat === undefined || beat.id === this.#options.id) return;
        this.#pings.onBeat(beat.id, clock.monotonic());
        if (this.#members.onBeat(beat, clock.monotonic())) this.#assign();
        if (this.#nextTick === undefined) this.#armTick();
      }),
      bus.onStatus((status) => {
        if (status === "connected") this.#onReconnected();
      }),
    );
    this.#timers.push(clock.every(BEAT_MS, () => this.#beat()));
    this.#beat();
    this.#assign();
  }

  /** More partitions than before exist; fewer change nothing. */
  grow(partitions: number): void {
    if (partitions <= this.#partitions) return;
    this.#partitions = partitions;
    this.#splitUntil = this.#options.clock.monotonic() + SPLIT_MS;
    this.#armTick();
    this.#assignment.partitions = partitions;
    if (this.#timers.length > 0 && this.#state === "live") this.#assign();
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
    for (const timer of this.#timers) timer.cancel();
    this.#nextTick?.cancel();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#pings.stop();
    this.#beat();
    for (const p of this.#runners.keys()) this.#drop(p);
    await Promise.all(this.#stopping);
  }

  /** persistence-node.5. */
  #armTick(): void {
    this.#nextTick?.cancel();
    this.#nextTick = undefined;
    const { clock } = this.#options;
    const { oldestBeatAt } = this.#members;
    if (oldestBeatAt === undefined || this.#state !== "live") return;
    const now = clock.monotonic();
    const lateMs = this.#maySplit(now) ? 0 : LATE_MS;
    this.#nextTick = clock.after(Math.max(TICK_MS, oldestBeatAt + lateMs + 1 - now), () => {
      this.#tick();
      this.#armTick();
    });
  }

  #tick(): void {
    const { bus, clock } = this.#options;
    if (bus.status === "disconnected") return; // persistence-node.3
    const now = clock.monotonic();
    const lateMs = this.#maySplit(now) ? 0 : LATE_MS;
    for (const peer of this.#members.silentFor(lateMs, now)) this.#pings.report(peer);
    if (this.#members.expire(now).length > 0) this.#assign();
  }

  /** Upper halves may wait for the archive. */
  #maySplit(now: Millis): boolean {
    return now < this.#splitUntil || [...this.#runners.values()].some(({ isBegun }) => !isBegun);
  }

  /** persistence-node.2. */
  #onDead(peer: ProcessId): void {
    if (this.#members.remove(peer)) this.#assign();
  }

  /** persistence-node.3. */
  #onReconnected(): void {
    const now = this.#options.clock.monotonic();
    this.#pings.onReconnected(now);
    this.#members.refresh(now);
  }

  #beat(): void {
    const { bus, id, version } = this.#options;
    bus.publish(subjects.beat("persistence"), encodeBeat({ id, state: this.#state, version }));
  }

  /** The answer to `termOf` has changed for some partitions. */
  onTermsChanged(): void {
    if (this.#timers.length > 0 && this.#state === "live") this.#assign();
  }

  #assign(): void {
    const { termOf = () => 0 } = this.#options;
    const { drop } = this.#assignment.update(this.#members.live());
    for (const p of drop) this.#drop(p);
    for (const p of this.#assignment.mine) {
      const term = termOf(p);
      if (term === this.#terms.get(p)) continue;
      this.#drop(p);
      if (term !== undefined) this.#take(p, term);
    }
  }

  #take(p: Partition, term: number): void {
    const runner = this.#options.createRunner(p);
    this.#runners.set(p, runner);
    this.#terms.set(p, term);
    runner.start();
    if (this.#nextTick !== undefined && !runner.isBegun) this.#armTick(); // persistence-node.2
  }

  #drop(p: Partition): void {
    const runner = this.#runners.get(p);
    this.#runners.delete(p);
    this.#terms.delete(p);
    if (runner === undefined) return;
    // persistence-node.1
    const stopped = runner.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }
}
