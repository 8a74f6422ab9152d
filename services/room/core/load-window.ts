// LoadWindow: what the work of this node cost in the last minute, by partition, and how much CPU
// time the node can get.
//
// Owns: the samples of the window and the figures computed from them. Does not own: the reading of
// clocks and limits (adapters/process-load.ts), the use of the figures (balance.ts).
//
//   load-window.1. The CPU time of the process is divided among its partitions by their work:
//       commands received and events broadcast.
//   load-window.2. The capacity is the limit of the process. It is less while the event loop is
//       mostly busy and gets less CPU time than it asks for: other programs take the rest.
//   load-window.3. The window holds at most WINDOW_SAMPLES samples, and none from before the last
//       change of ownership, because these describe other work.

import type { Partition } from "#shared/protocol/ids.ts";
import { LOAD_MAX } from "#shared/protocol/load.ts";
import type { NodeLoad } from "#shared/protocol/load.ts";

export const WINDOW_SAMPLES = 60;
/** Below this share of busy time, waking up costs so much that the quotient says nothing. */
const BUSY_SHARE_MIN = 0.5;
const MILLION = 1_000_000;

/** Totals since the start of the process, in ms, and its limit. */
export interface LoadReading {
  readonly at: number;
  /** CPU time of all threads. */
  readonly cpuMs: number;
  /** CPU time of the main thread. */
  readonly loopCpuMs: number;
  /** How long the event loop was busy: running or waiting for a CPU. */
  readonly loopBusyMs: number;
  /** The cores that the process may use, at most 1: it has one event loop. */
  readonly limit: number;
}

interface Sample {
  readonly reading: LoadReading;
  readonly work: ReadonlyMap<Partition, number>;
}

export class LoadWindow {
  /** Never empty. The figures are the differences between the last and the first. */
  readonly #samples: Sample[];

  constructor(reading: LoadReading) {
    this.#samples = [{ reading, work: new Map() }];
  }

  /** `work`: the totals of each partition since the start. */
  add(reading: LoadReading, work: ReadonlyMap<Partition, number>): void {
    this.#samples.push({ reading, work });
    if (this.#samples.length > WINDOW_SAMPLES + 1) this.#samples.shift();
  }

  /** The partitions of this node have changed (load-window.3). */
  clear(): void {
    this.#samples.splice(0, this.#samples.length - 1);
  }

  get figures(): Required<Pick<NodeLoad, "capacity" | "busy" | "costs">> {
    const first = this.#samples[0] as Sample;
    const last = this.#samples.at(-1) as Sample;
    const ms = Math.max(1, last.reading.at - first.reading.at);
    const busy = (last.reading.cpuMs - first.reading.cpuMs) / ms;
    const work = Array.from(last.work, ([p, n]) => [p, n - (first.work.get(p) ?? 0)] as const);
    const total = work.reduce((sum, [, n]) => sum + n, 0);
    // load-window.1; without any work none is above 0.
    const costs = work.map(([p, n]) => [p, millionths((busy * n) / total)] as const);
    return {
      capacity: Math.max(1, millionths(capacityBetween(first.reading, last.reading))),
      busy: millionths(busy),
      costs: Object.fromEntries(costs.filter(([, cost]) => cost > 0)),
    };
  }
}

/** load-window.2. */
function capacityBetween(
  first: LoadReading,
  { at, loopCpuMs, loopBusyMs, limit }: LoadReading,
): number {
  const busyMs = loopBusyMs - first.loopBusyMs;
  if (busyMs === 0 || busyMs < (at - first.at) * BUSY_SHARE_MIN) return limit;
  return Math.min(limit, (loopCpuMs - first.loopCpuMs) / busyMs);
}

function millionths(cores: number): number {
  return Math.min(LOAD_MAX, Math.max(0, Math.round(cores * MILLION)));
}
