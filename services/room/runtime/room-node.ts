// Room node: the partitions of one process, and its view of peers and gateways.
//
// Owns: one runner per partition, beats, the tick, the timeouts of gateways. Does not own: the
// state of a partition (core/partition.ts), the choice of its owner (core/placement.ts).
//
//   room-node.1. A new node receives beats for LISTEN_MS before it claims. Its beat reports
//       "joining", so that peers report their partitions and hand its share over only when it is
//       ready.
//   room-node.2. A leaving node reports "leaving" in its beat, drains all its partitions, and is
//       finished when all are released.
//   room-node.3. A change of the live nodes or of their partitions has an effect at once, and not
//       at the next tick.
//   room-node.4. A node ends its tenures of partitions that its region may not serve, and claims
//       none of them. Its log writes no release then (regional-log.ts).
//   room-node.5. The node has a runner for each partition that the operator wants, that a peer
//       serves, or that the archive has. The request alone makes no partition exist (P28).
//   room-node.6. A node splits one partition at a time, and the next one when the last one is
//       served again.
//   room-node.7. Room nodes of another region are no peers: they serve other partitions.
//   room-node.8. A node that rests ticks seldom, and without rooms in memory still more seldom. A
//       silent peer is pinged at the latest 1.75 s after its last beat.

import { LiveProcesses } from "#shared/kit/live-processes.ts";
import { Refusals } from "#shared/kit/refusals.ts";
import type { Millis, Partition as PartitionNumber, ProcessId } from "#shared/protocol/ids.ts";
import { PeerPings } from "#shared/process/peer-pings.ts";
import { BEAT_MS, decodeBeat, encodeBeat } from "#shared/protocol/beat.ts";
import { GATEWAY_TIMEOUT_MS, isFar } from "#shared/protocol/beat.ts";
import type { Beat } from "#shared/protocol/beat.ts";
import { initialOf, isDoubling, PartitionMap } from "#shared/protocol/partition-map.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { decodeSuspectReport } from "#shared/protocol/suspect-report.ts";
import type { BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Timer } from "#shared/ports/clock.ts";
import { Partition } from "../core/partition.ts";
import { Placement, TICK_LATE_MS } from "../core/placement.ts";
import { RoomMemory } from "../core/room-memory.ts";
import type { LoadReading } from "../core/load-window.ts";
import { NodeLoad } from "./node-load.ts";
import { PartitionRunner } from "./partition-runner.ts";
import type { RunnerPorts } from "./partition-runner.ts";

/** The interval of time-driven work, and so the resolution of QUIET_MS and of retries. */
const TICK_MS = 100;
/** The interval while no partition changes its state. */
const REST_TICK_MS = 250;
/** The interval while no room is in memory either: half of TICK_LATE_MS. */
const IDLE_TICK_MS = 500;
/**
 * room-node.1: peers answer the first beat of a new node at once, so it is shorter than BEAT_MS.
 */
const LISTEN_MS = 400;
/**
 * After this time without a beat a peer is pinged, because its rooms may be idle and cause no
 * reports. With the tick of an idle node that is within 1.75 s.
 */
const SILENT_MS = 1_250;

/**
 * At most one partition moves in this time because of load (P26). Off by default: the drill has not
 * yet shown that a node with half the CPU gets half of the work (decision 036).
 */
export const BALANCE_MS = 0;

export interface RoomNodePorts extends RunnerPorts {
  /** Left out: the node announces no load, and all weights are equal. */
  readonly readLoad?: () => LoadReading;
}

export interface RoomNodeOptions {
  readonly id: ProcessId;
  /** The number of partitions when the cluster was created. */
  readonly partitions: number;
  readonly version: string;
  /** The maximum memory of rooms, in bytes. */
  readonly memoryMax: number;
  /** room-node.7. */
  readonly region?: string | undefined;
  /** Left out: every partition (room-node.4). `onRightsChanged` reports changes. */
  readonly mayServe?: ((p: PartitionNumber) => boolean) | undefined;
  /** Default: BALANCE_MS. */
  readonly balanceMs?: number;
}

export class RoomNode {
  readonly id: ProcessId;
  readonly #options: RoomNodeOptions;
  readonly #ports: RoomNodePorts;
  readonly #placement: Placement;
  readonly #pings: PeerPings;
  readonly #refusals: Refusals;
  readonly #gateways = new LiveProcesses(GATEWAY_TIMEOUT_MS);
  readonly #runners: PartitionRunner[] = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #timers: Timer[] = [];
  readonly #memory: RoomMemory;
  readonly #startedAt: number;
  #load: NodeLoad | undefined;
  #ticks: Timer | undefined;
  #tickMs: Millis = 0;
  /** The monotonic time of the last tick or batch. */
  #ranAt: Millis | undefined;
  #state: Beat["state"] = "joining";
  #declaredDead = 0;
  #lostBusAt: Millis | undefined;
  #beatIsDue = false;
  #onSettled: (() => void) | undefined;
  /** Which partitions exist. */
  readonly #map: PartitionMap;
  /** The number of partitions that the operator wants. */
  #wanted = 0;
  /** The partition that this node splits, or split last. */
  #splitting: PartitionRunner | undefined;

  constructor(options: RoomNodeOptions, ports: RoomNodePorts) {
    this.id = options.id;
    this.#options = options;
    this.#ports = ports;
    this.#refusals = new Refusals(ports.report, ports.clock);
    this.#memory = new RoomMemory(options.memoryMax);
    this.#placement = new Placement(options.id, options.partitions);
    this.#placement.claimsNothing = true; // room-node.1
    this.#map = new PartitionMap(options.partitions);
    this.#startedAt = ports.clock.monotonic();
    const { bus, clock } = ports;
    this.#pings = new PeerPings({
      self: options.id,
      subjectOf: subjects.ping,
      bus,
      clock,
      onDead: (peer) => this.#declareDead(peer),
    });
  }

  start(): void {
    const { bus, clock, readLoad: read } = this.#ports;
    if (read !== undefined) {
      const { id, balanceMs: intervalMs = BALANCE_MS } = this.#options;
      const placement = this.#placement;
      this.#load = new NodeLoad({ id, placement, read, intervalMs }, clock.monotonic());
    }
    this.#grow(this.#options.partitions);
    this.#pings.start();
    this.#subscriptions.push(
      bus.subscribe(subjects.beat("room"), (message) => this.#onRoomBeat(message)),
      bus.subscribe(subjects.beat("gateway"), (message) => this.#onGatewayBeat(message)),
      bus.onStatus((status) => {
        if (status === "connected") this.#onReconnected();
        else this.#lostBusAt ??= clock.monotonic();
      }),
    );
    this.#timers.push(clock.every(BEAT_MS, () => this.#onBeatDue()));
    this.#armTicks(TICK_MS);
    this.#beat();
  }

  /** The partitions that this node has not released, with their epochs. */
  owns(): { [p: string]: number } {
    const owns: { [p: string]: number } = {};
    for (const { p, core } of this.#runners) {
      if (core.holds !== undefined) owns[p] = core.holds;
    }
    return owns;
  }

  /** The partitions that this node knows of: those that serve, and those that are to be begun. */
  get partitions(): number {
    return this.#runners.length;
  }

  /** The partitions that exist. An upper half without the split that begins it does not. */
  get begun(): number {
    return this.#map.count;
  }

  /**
   * room-node.5. The operator wants `count` partitions. A number that is no doubling of the number
   * at creation, or not above the present one, changes nothing.
   */
  split(count: number): void {
    const { partitions: first } = this.#options;
    if (count <= this.#wanted || !isDoubling(count, first)) return;
    this.#wanted = count;
    this.#grow(count);
  }

  /** The number of partitions in each state. */
  states(): ReadonlyMap<string, number> {
    const states = new Map<string, number>();
    for (const { core } of this.#runners) states.set(core.state, (states.get(core.state) ?? 0) + 1);
    return states;
  }

  /** What this node measures and moves (P26); undefined when it measures nothing. */
  get load(): NodeLoad | undefined {
    return this.#load;
  }

  /** The work of each partition since the start. */
  get work(): ReadonlyMap<PartitionNumber, number> {
    return new Map(this.#runners.map(({ p, work }) => [p, work]));
  }

  /** The number of rooms in memory. */
  get rooms(): number {
    return this.#memory.rooms;
  }

  /** The memory of rooms, by category. */
  get memory(): RoomMemory["account"] {
    return this.#memory.account;
  }

  /** Since the start: claims, refused appends, partitions lost to a rival, peers declared dead. */
  get counts(): Readonly<Record<"claims" | "refused" | "fenced" | "declaredDead", number>> {
    const counts = { claims: 0, refused: 0, fenced: 0, declaredDead: this.#declaredDead };
    for (const { core } of this.#runners) {
      counts.claims += core.counts.claims;
      counts.refused += core.counts.refused;
      counts.fenced += core.counts.fenced;
    }
    return counts;
  }

  /**
   * True when this node serves exactly the partitions that it may serve and that placement assigns
   * to it.
   */
  get isSettled(): boolean {
    const isMine = (p: PartitionNumber): boolean =>
      this.#mayServe(p) && this.#placement.ownerOf(p) === this.id;
    return (
      this.#state === "live" &&
      this.#runners.every(
        ({ p, core }) => core.isUnbegun || isMine(p) === (core.state === "serving"),
      )
    );
  }

  /** The answer to `mayServe` has changed for some partitions (room-node.4). */
  onRightsChanged(): void {
    for (const runner of this.#runners) {
      if (!this.#mayServe(runner.p)) runner.step({ kind: "drain" });
    }
    this.#changed();
    this.#place(this.#ports.clock.monotonic());
  }

  /** Hands all partitions over (room-node.2). Resolves when all are released; never rejects. */
  async leave(): Promise<void> {
    this.#state = "leaving";
    this.#placement.claimsNothing = true;
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    for (const runner of this.#runners) runner.step({ kind: "drain" });
    this.#beat();
    this.#changed();
    await settled;
    this.#beat();
    this.close();
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#ticks?.cancel();
    this.#pings.stop();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const runner of this.#runners) runner.close();
  }

  #mayServe(p: PartitionNumber): boolean {
    return this.#options.mayServe?.(p) ?? true;
  }

  #grow(count: number): void {
    const { bus } = this.#ports;
    const { partitions: first } = this.#options;
    for (let p = this.#runners.length; p < count; p++) {
      const core = new Partition(this.id, this.#memory, { p, first });
      const onChanged = (): void => this.#changed();
      const onCommandsFrom = (gateway: ProcessId): void => this.#onGatewayCommands(gateway);
      this.#runners.push(
        new PartitionRunner(p, { core, ports: this.#ports, onChanged, onCommandsFrom }),
      );
      this.#subscriptions.push(
        bus.subscribe(subjects.suspect(p), (message) => this.#onSuspect(message)),
      );
    }
    this.#placement.partitions = this.#runners.length;
  }

  /** room-node.6. */
  #splitNext(): void {
    if (this.#splitting !== undefined && !isAtRest(this.#splitting.core)) return;
    this.#splitting = this.#runners.find(({ core }) => core.of < this.#wanted && core.maySplit);
    this.#splitting?.step({ kind: "split" });
  }

  #changed(): void {
    if (this.#tickMs > TICK_MS) this.#armTicks(TICK_MS);
    // room-node.5: the archive has a split that this node did not know of.
    for (const { p, core } of this.#runners) {
      if (core.holds !== undefined) this.#map.learn(p, core.of);
    }
    const known = this.#map.partitions;
    if (known > this.#runners.length) this.#grow(known);
    if (this.#state === "leaving" && this.#runners.every(({ core }) => core.state === "idle")) {
      this.#onSettled?.();
    }
    if (this.#beatIsDue) return;
    this.#beatIsDue = true;
    // Peers and gateways learn of a new owner at once, and not with the next beat.
    this.#ports.clock.soon(() => this.#beat());
  }

  #onBeatDue(): void {
    const now = this.#ports.clock.monotonic();
    const move = this.#load?.measure(this.work, now);
    if (move !== undefined) {
      this.#ports.stats?.reports.add("partition moved by load");
      this.#ports.report("partition moved by load", move);
    }
    this.#beat(); // Before the drain of a moved partition, so that peers know its new owner.
    if (move !== undefined) this.#place(now);
  }

  #beat(): void {
    this.#beatIsDue = false;
    const { id, version, region } = this.#options;
    const load = this.#load?.announced;
    const announced = { id, state: this.#state, version, owns: this.owns() };
    const beat = encodeBeat({ ...announced, ...(load && { load }), ...(region && { region }) });
    this.#ports.bus.publish(subjects.beat("room"), beat);
  }

  #onRoomBeat(message: BusMessage): void {
    const beat = decodeBeat(new TextDecoder().decode(message.data));
    if (beat === undefined) return this.#refuse("beat", message); // N5
    if (beat.id === this.id || isFar(beat, this.#options.region)) return; // room-node.7
    const now = this.#ports.clock.monotonic();
    this.#pings.onBeat(beat.id, now);
    for (const [p, epoch] of Object.entries(beat.owns ?? {})) {
      this.#learn(Number(p));
      this.#runners[Number(p)]?.step({ kind: "superseded", epoch, by: beat.id });
    }
    const { changed, isNew } = this.#placement.onBeat(beat, now);
    // room-node.1: the answer shows this node's partitions to the new node.
    if (isNew) this.#changed();
    if (changed) this.#place(now); // room-node.3
  }

  /** A peer serves partition `p`. */
  #learn(p: PartitionNumber): void {
    this.#map.learn(p);
    if (p < this.#runners.length) return;
    const of = initialOf(p, this.#options.partitions);
    if (isDoubling(of, this.#options.partitions)) this.#grow(of); // Not above PARTITIONS_MAX.
  }

  #onGatewayBeat(message: BusMessage): void {
    const beat = decodeBeat(new TextDecoder().decode(message.data));
    if (beat === undefined) return this.#refuse("beat", message); // N5
    const isNew = this.#gateways.onBeat(beat, this.#ports.clock.monotonic());
    if (beat.state === "leaving") this.#gatewayGone(beat.id);
    else if (isNew) this.#gatewayBack(beat.id);
  }

  /**
   * A gateway that sends commands has users here, also when its beats have not arrived. Without
   * this, a gateway that crashes before its first beat arrives would have no timeout, and its users
   * would stay present (A3).
   */
  #onGatewayCommands(id: ProcessId): void {
    this.#noteRunning();
    if (this.#tickMs > REST_TICK_MS) this.#armTicks(REST_TICK_MS);
    if (this.#gateways.has(id)) return;
    const { clock } = this.#ports;
    if (this.#gateways.onBeat({ id, state: "live" }, clock.monotonic())) this.#gatewayBack(id);
  }

  #gatewayBack(gateway: ProcessId): void {
    for (const runner of this.#runners) runner.step({ kind: "gateway-back", gateway });
  }

  #gatewayGone(gateway: ProcessId): void {
    for (const runner of this.#runners) runner.step({ kind: "gateway-gone", gateway });
  }

  /** P16: a gateway reports a partition without a responder. */
  #onSuspect(message: BusMessage): void {
    const suspect = decodeSuspectReport(new TextDecoder().decode(message.data));
    if (suspect === undefined) return this.#refuse("suspect", message); // N5
    const { p } = suspect;
    // A node that claims or serves the partition needs no report about it.
    if (this.#runners[p]?.core.state !== "idle" || !this.#mayServe(p)) return;
    const owner = this.#placement.holderOf(p) ?? this.#placement.ownerOf(p);
    if (owner !== undefined && owner !== this.id) this.#pings.report(owner);
  }

  #refuse(what: "beat" | "suspect", { data }: BusMessage): void {
    this.#ports.stats?.refused.add(what);
    this.#refusals.add(what, { size: data.length });
  }

  #declareDead(peer: ProcessId): void {
    const { clock, report, stats } = this.#ports;
    this.#declaredDead++;
    this.#placement.remove(peer);
    stats?.reports.add("peer declared dead");
    report("peer declared dead", { peer, declaredDead: this.#declaredDead });
    this.#place(clock.monotonic());
  }

  #onReconnected(): void {
    const now = this.#ports.clock.monotonic();
    this.#pings.onReconnected(now);
    this.#placement.restartTimeouts(now);
    this.#gateways.refresh(now); // P20
    const awayMs = now - (this.#lostBusAt ?? now);
    this.#lostBusAt = undefined;
    for (const runner of this.#runners) runner.step({ kind: "reconnected", awayMs }); // O10
    this.#beat();
  }

  #armTicks(everyMs: Millis): void {
    this.#ticks?.cancel();
    this.#tickMs = everyMs;
    this.#ticks = this.#ports.clock.every(everyMs, () => {
      this.#tick();
      const next = this.#restingTickMs();
      if (next !== this.#tickMs) this.#armTicks(next);
    });
  }

  #restingTickMs(): Millis {
    const rests = this.#state === "live" && this.#runners.every(({ core }) => isAtRest(core));
    if (!rests) return TICK_MS;
    return this.#memory.rooms === 0 ? IDLE_TICK_MS : REST_TICK_MS;
  }

  /** P32. After a pause a batch can come before the tick. */
  #noteRunning(): void {
    const now = this.#ports.clock.monotonic();
    const isLate = now - (this.#ranAt ?? now) > TICK_LATE_MS;
    this.#ranAt = now;
    if (isLate) for (const runner of this.#runners) runner.step({ kind: "lapsed" });
  }

  #tick(): void {
    const { bus, clock } = this.#ports;
    const now = clock.monotonic();
    this.#noteRunning();
    for (const runner of this.#runners) runner.step({ kind: "tick" });
    if (bus.status === "disconnected") return; // P20
    if (this.#placement.onTick(now)) this.#gateways.refresh(now); // P20
    for (const gateway of this.#gateways.expire(now)) this.#gatewayGone(gateway); // A3
    for (const peer of this.#placement.silentFor(SILENT_MS, now)) this.#pings.report(peer);
    if (this.#state === "joining" && now - this.#startedAt >= LISTEN_MS) {
      this.#state = "live";
      this.#placement.claimsNothing = false;
      this.#beat();
    }
    this.#place(now);
    if (this.#state === "live") this.#splitNext();
  }

  #place(now: Millis): void {
    if (this.#state !== "live") return;
    const held = new Set<PartitionNumber>();
    for (const { p, core } of this.#runners) {
      const rival = core.state === "fenced" ? core.rival : undefined;
      // P6: a fenced partition counts as held, unless the rival is gone or has released it.
      if (core.state !== "idle" && (rival === undefined || !this.#placement.isOver(p, rival)))
        held.add(p);
    }
    const { claim, drain } = this.#placement.decide(held, now);
    for (const p of claim) {
      if (this.#mayServe(p)) this.#runners[p]?.step({ kind: "claim" }); // room-node.4
    }
    for (const p of drain) this.#runners[p]?.step({ kind: "drain" });
  }
}

/** The partition is neither in a split nor in the claim that follows it. */
function isAtRest({ state }: Partition): boolean {
  return state === "serving" || state === "idle" || state === "fenced";
}
