// Options: the size of the simulated cluster and the faults of a run, as functions of the seed.
//
// Swarm testing: each seed enables about half of the fault kinds. A run with all faults at once
// would not reach the states in which one part must work.

import { SeededRng, STREAMS } from "./seeded-rng.ts";

export const FAULTS = [
  "kill-room",
  "leave-room",
  "pause-room",
  "kill-gateway",
  "leave-gateway",
  "pause-gateway",
  "kill-persistence",
  "leave-persistence",
  "pause-persistence",
  "cut",
  "cut-one-way",
  "loss",
  "duplication",
  "spikes",
  "reorder",
  "log-slow",
  "log-uncertain",
  "log-full",
  "log-leaderless",
  "log-lag",
  "database-down",
  "database-slow",
  "database-uncertain",
  "database-lag",
  "skew",
  "clock-jump",
  "clock-leap",
  "socket-drop",
  "socket-half-open",
  "slow-reader",
  "bus-restart",
  "term-lapse",
  "split",
] as const;

export type Fault = (typeof FAULTS)[number];

export interface Options {
  readonly seed: number;
  readonly gateways: number;
  readonly roomNodes: number;
  readonly persistence: number;
  readonly partitions: number;
  readonly rooms: number;
  readonly users: number;
  /** How long faults are injected, in virtual time. */
  readonly safetyMs: number;
  /** How long the cluster may take to converge after the faults have ended. */
  readonly convergeMs: number;
  /** The mean time between two actions of one user. */
  readonly thinkMs: number;
  /** The mean time between two faults. */
  readonly faultMs: number;
  /** How many archived entries stay in the log. */
  readonly keepEntries: number;
  readonly faults: readonly Fault[];
  /** False: no user sets a slow mode. Default: users do. */
  readonly slowModes?: boolean;
}

const CONVERGE_MS = 90_000;

export function optionsOf(seed: number): Options {
  const rng = new SeededRng(seed, STREAMS.options);
  const share = rng.between(0.15, 0.7);
  return {
    seed,
    gateways: rng.int(1, 3),
    roomNodes: rng.int(1, 3),
    persistence: rng.int(1, 2),
    partitions: rng.int(1, 3),
    rooms: rng.int(1, 4),
    users: rng.int(2, 5),
    safetyMs: rng.int(8_000, 25_000),
    convergeMs: CONVERGE_MS,
    thinkMs: rng.int(80, 600),
    faultMs: rng.int(400, 3_000),
    keepEntries: rng.int(1, 30),
    faults: FAULTS.filter(() => rng.chance(share)),
  };
}

export function describeOptions(options: Options): string {
  const { faults, ...rest } = options;
  const sizes = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return `${sizes.join(" ")}\n  faults: ${faults.join(" ") || "none"}`;
}
