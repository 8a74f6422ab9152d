// Load: the part of a room node's beat that says what its work costs, what it can do, and its
// weight for placement.
//
// Owns: the fields, their bounds and their check. Does not own: how they are measured
// (services/room/core/load-window.ts), what follows from them (services/room/core/balance.ts).
//
// A beat without it comes from an older version, or from a node that has measured nothing yet.

import { isCount, isObject } from "../kit/json.ts";
import { isProcessId } from "./ids.ts";
import type { ProcessId } from "./ids.ts";

/** Steps of a weight in one octave. Weight n means a factor of 2^(n / WEIGHT_STEPS). */
export const WEIGHT_STEPS = 65_536;
/** Weights are between a quarter and four. */
export const WEIGHT_MAX = 2 * WEIGHT_STEPS;
/** The largest CPU figure, in millionths of a core: 1,024 cores. */
export const LOAD_MAX = 1_024_000_000;

/** CPU time is in millionths of a core: CPU microseconds a second. */
export interface NodeLoad {
  /** The logarithm of the weight, in steps (WEIGHT_STEPS). */
  readonly weight: number;
  /** The CPU time that the node can get. */
  readonly capacity: number;
  /** The CPU time that it used. */
  readonly busy: number;
  /** The part of `busy` of each partition that it owns. A partition without work is left out. */
  readonly costs?: { readonly [p: string]: number };
  /** The node that should change its weight next, in the sender's view. */
  readonly next?: ProcessId;
}

const PARTITION = /^(?:0|[1-9]\d{0,3})$/;

export function isNodeLoad(value: unknown): value is NodeLoad {
  if (!isObject(value)) return false;
  const { weight, capacity, busy, costs, next } = value;
  if (!Number.isInteger(weight) || Math.abs(weight as number) > WEIGHT_MAX) return false;
  if (!isCpu(capacity) || capacity === 0 || !isCpu(busy)) return false;
  if (next !== undefined && !isProcessId(next)) return false;
  return costs === undefined || (isObject(costs) && Object.entries(costs).every(isCost));
}

/** [partition, CPU time] */
function isCost([p, cost]: [string, unknown]): boolean {
  return PARTITION.test(p) && isCpu(cost);
}

function isCpu(value: unknown): value is number {
  return isCount(value) && value <= LOAD_MAX;
}
