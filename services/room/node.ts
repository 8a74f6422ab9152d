// Room node: the partitions of one process, and its place among its peers.
//
// Owns: one driver per partition, beats, the tick, the view of gateways. Does not own: what a
// partition does (core/partition.ts) or who should have it (core/placement.ts).
//
//   ND1. It listens for a moment before it claims anything, so that a start beside living peers
//        takes over its share and nothing else.
//   ND2. Leaving: it says so, drains everything it serves, and is done when all is released.

import type { MemoryBudget } from "./core/recent.ts";
import { Members } from "#shared/kit/membership.ts";
import type { Partition as PartitionNumber, ProcessId } from "#shared/protocol/ids.ts";
import { BEAT_MS, decodeBeat, GATEWAY_TIMEOUT_MS } from "#shared/protocol/membership.ts";
import type { Beat } from "#shared/protocol/membership.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import type { BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Timer } from "#shared/ports/clock.ts";
import { Partition } from "./core/partition.ts";
import { Placement } from "./core/placement.ts";
import { PartitionDriver } from "./driver.ts";
import type { DriverPorts } from "./driver.ts";

/** How often time-driven work is looked at; the unit of QUIET_MS and of retries. */
const TICK_MS = 100;
/** ND1: peers answer a new node's first beat at once, so this need not be a beat period. */
const LISTEN_MS = 400;

export interface RoomNodeOptions {
  readonly id: ProcessId;
  readonly partitions: number;
  readonly version: string;
  /** Lines that may be kept in memory, in UTF-16 units. */
  readonly memoryMax: number;
}

export class RoomNode {
  readonly id: ProcessId;
  readonly #options: RoomNodeOptions;
  readonly #ports: DriverPorts;
  readonly #placement: Placement;
  readonly #gateways = new Members(GATEWAY_TIMEOUT_MS);
  readonly #drivers: PartitionDriver[] = [];
  readonly #subscriptions: Subscription[] = [];
  readonly #timers: Timer[] = [];
  readonly #budget: MemoryBudget;
  readonly #startedAt: number;
  #leaving = false;
  #beatIsDue = false;
  #onSettled: (() => void) | undefined;

  constructor(options: RoomNodeOptions, ports: DriverPorts) {
    this.id = options.id;
    this.#options = options;
    this.#ports = ports;
    this.#budget = { bytesMax: options.memoryMax, bytes: 0 };
    this.#placement = new Placement(options.id, options.partitions);
    this.#startedAt = ports.clock.monotonic();
  }

  start(): void {
    const { bus, clock } = this.#ports;
    for (let p = 0; p < this.#options.partitions; p++) {
      const core = new Partition(this.id, this.#budget);
      const onChanged = (): void => this.#changed();
      this.#drivers.push(new PartitionDriver(p, { core, ports: this.#ports, onChanged }));
    }
    this.#subscriptions.push(
      bus.subscribe(subjects.beat("room"), (message) => this.#onRoomBeat(message)),
      bus.subscribe(subjects.beat("gateway"), (message) => this.#onGatewayBeat(message)),
      bus.subscribe(subjects.ping(this.id), (message) => {
        if (message.reply !== undefined) bus.publish(message.reply, "pong");
      }),
    );
    this.#timers.push(
      clock.every(BEAT_MS, () => this.#beat()),
      clock.every(TICK_MS, () => this.#tick()),
    );
    this.#beat();
  }

  /** The partitions it serves now, with their epochs. */
  owns(): { [p: string]: number } {
    const owns: { [p: string]: number } = {};
    for (const { p, core } of this.#drivers) {
      if (core.epoch !== undefined) owns[p] = core.epoch;
    }
    return owns;
  }

  get partitions(): number {
    return this.#options.partitions;
  }

  /** How many partitions are in which state here. */
  states(): ReadonlyMap<string, number> {
    const states = new Map<string, number>();
    for (const { core } of this.#drivers) states.set(core.state, (states.get(core.state) ?? 0) + 1);
    return states;
  }

  /** Rooms in memory. */
  get rooms(): number {
    return this.#budget.rooms ?? 0;
  }

  get memoryBytes(): number {
    return this.#budget.bytes;
  }

  /** True when every partition that should be here is served. */
  get isSettled(): boolean {
    return (
      this.#ports.clock.monotonic() - this.#startedAt > LISTEN_MS &&
      this.#drivers.every(
        ({ p, core }) => (this.#placement.ownerOf(p) === this.id) === (core.state === "serving"),
      )
    );
  }

  /** Hands everything over (ND2). Resolves when all is released; never rejects. */
  async leave(): Promise<void> {
    this.#leaving = true;
    this.#placement.leave();
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    for (const driver of this.#drivers) driver.step({ kind: "drain" });
    this.#beat();
    this.#changed();
    await settled;
    this.#beat();
    this.close();
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    for (const driver of this.#drivers) driver.close();
  }

  #changed(): void {
    if (this.#leaving && this.#drivers.every(({ core }) => core.state === "idle")) {
      this.#onSettled?.();
    }
    if (this.#beatIsDue) return;
    this.#beatIsDue = true;
    // Peers and gateways hear of a new owner at once, not with the next beat.
    this.#ports.clock.soon(() => this.#beat());
  }

  #beat(): void {
    this.#beatIsDue = false;
    const state = this.#leaving ? "leaving" : "live";
    const { version } = this.#options;
    const beat: Beat = { v: 1, id: this.id, state, version, owns: this.owns() };
    this.#ports.bus.publish(subjects.beat("room"), JSON.stringify(beat));
  }

  #onRoomBeat(message: BusMessage): void {
    const beat = decodeBeat(new TextDecoder().decode(message.data));
    if (beat === undefined) return;
    const isNew = this.#placement.onBeat(beat, this.#ports.clock.monotonic());
    if (isNew) this.#changed(); // ND1: answer, so that the newcomer knows us before it claims.
  }

  #onGatewayBeat(message: BusMessage): void {
    const beat = decodeBeat(new TextDecoder().decode(message.data));
    if (beat === undefined) return;
    const isNew = this.#gateways.onBeat(beat, this.#ports.clock.monotonic());
    if (beat.state === "leaving") this.#gatewayGone(beat.id);
    else if (isNew) this.#gatewayBack(beat.id);
  }

  #gatewayBack(gateway: ProcessId): void {
    for (const driver of this.#drivers) driver.step({ kind: "gateway-back", gateway });
  }

  #gatewayGone(gateway: ProcessId): void {
    for (const driver of this.#drivers) driver.step({ kind: "gateway-gone", gateway });
  }

  #tick(): void {
    const now = this.#ports.clock.monotonic();
    for (const gateway of this.#gateways.expire(now)) this.#gatewayGone(gateway); // A3
    for (const driver of this.#drivers) driver.step({ kind: "tick" });
    this.#placement.onTick(now);
    if (now - this.#startedAt < LISTEN_MS || this.#leaving) return;
    const held = new Set<PartitionNumber>();
    for (const { p, core } of this.#drivers) {
      const rival = core.state === "fenced" ? core.rival : undefined;
      // P6: while fenced it counts as held, unless the rival is gone.
      if (core.state !== "idle" && (rival === undefined || this.#placement.isLive(rival)))
        held.add(p);
    }
    const { claim, drain } = this.#placement.decide(held, now);
    for (const p of claim) this.#drivers[p]?.step({ kind: "claim" });
    for (const p of drain) this.#drivers[p]?.step({ kind: "drain" });
  }
}
