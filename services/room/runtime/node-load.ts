// NodeLoad: measures the load of this node once a beat, and performs the moves that the balance
// decides.
//
// Owns: the window, the weight of this node, and the load that its beats announce. Does not own:
// the clocks and limits that it reads (adapters/process-load.ts), the choice (core/balance.ts).
//
//   node-load.1. Placement and balance use this node's load as its beats announce it, so that all
//       nodes compute with the same figures.
//   node-load.2. The weight begins with the limit of the process, in quarter octaves: a node with
//       half a core gets half the share of a node with a whole one.

import type { Millis, Partition, ProcessId } from "#shared/protocol/ids.ts";
import type { LoadStatus } from "#shared/protocol/control.ts";
import { WEIGHT_MAX, WEIGHT_STEPS } from "#shared/protocol/load.ts";
import type { NodeLoad as AnnouncedLoad } from "#shared/protocol/load.ts";
import { Balance, hotPartitions } from "../core/balance.ts";
import { LoadWindow } from "../core/load-window.ts";
import type { LoadReading } from "../core/load-window.ts";
import type { Placement } from "../core/placement.ts";
import type { Move } from "../core/shares.ts";

const MILLION = 1_000_000;
/** Steps of the first weight in one octave: almost equal limits give equal weights. */
const FIRST_STEPS = 4;

export interface NodeLoadOptions {
  readonly id: ProcessId;
  readonly placement: Placement;
  readonly read: () => LoadReading;
  /** At most one partition moves in this time; 0: none. */
  readonly intervalMs: number;
}

export class NodeLoad {
  readonly #options: NodeLoadOptions;
  readonly #window: LoadWindow;
  readonly balance: Balance;
  #revision: number;
  #announced: AnnouncedLoad;

  constructor(options: NodeLoadOptions, now: Millis) {
    const { id, placement, intervalMs } = options;
    const reading = options.read();
    this.#options = options;
    this.#window = new LoadWindow(reading);
    this.balance = new Balance(id, intervalMs, now);
    this.#announced = { ...this.#window.figures, weight: firstWeight(reading.limit) };
    placement.setLoad(this.#announced, now); // node-load.1
    this.#revision = placement.revision;
  }

  /** What the beats announce. */
  get announced(): AnnouncedLoad {
    return this.#announced;
  }

  /** The hot partitions of this node. */
  get hot(): Partition[] {
    const { id, placement } = this.#options;
    return hotPartitions(id, placement.loads ?? new Map([[id, { load: this.#announced }]]));
  }

  get status(): LoadStatus {
    const { weight, capacity, busy } = this.#announced;
    return {
      capacity: capacity / MILLION,
      busy: busy / MILLION,
      weight: 2 ** (weight / WEIGHT_STEPS),
      hot: this.hot,
    };
  }

  /** `work`: the totals of each partition. Returns the move that this node has begun. */
  measure(work: ReadonlyMap<Partition, number>, now: Millis): Move | undefined {
    const { placement, read } = this.#options;
    this.#window.add(read(), work);
    if (placement.revision !== this.#revision) {
      this.#window.clear();
      this.balance.onOwnersChanged(now);
    }
    const { weight } = this.#announced;
    this.#announce({ ...this.#window.figures, weight }, now);
    const move = this.balance.decide(placement, now);
    if (move !== undefined) this.#window.clear();
    const { next } = this.balance;
    const load = { ...this.#announced, ...(next !== undefined && { next }) };
    this.#announce({ ...load, weight: move?.weight ?? weight }, now);
    this.#revision = placement.revision;
    return move;
  }

  #announce(load: AnnouncedLoad, now: Millis): void {
    this.#announced = load;
    this.#options.placement.setLoad(load, now);
  }
}

/** node-load.2. */
export function firstWeight(limit: number): number {
  const octaves = Math.round(Math.log2(limit) * FIRST_STEPS) / FIRST_STEPS;
  return Math.max(-WEIGHT_MAX, Math.min(WEIGHT_MAX, octaves * WEIGHT_STEPS)) || 0;
}
