// Options: what a seed stands for: the size of the world, and which faults it has.
//
// Swarm testing: each fault kind is on in about half of the seeds. A run in which everything goes
// wrong at once never comes to the states that need one thing to go right.

import { Dice } from "./seeded-rng.ts";

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
  "log-doubt",
  "log-full",
  "log-leaderless",
  "log-lag",
  "database-down",
  "database-slow",
  "database-doubt",
  "database-lag",
  "skew",
  "clock-jump",
  "leap",
  "socket-drop",
  "socket-half-open",
  "slow-reader",
  "bus-restart",
] as const;

export type Fault = (typeof FAULTS)[number];

export interface Options {
  readonly seed: number;
  readonly gateways: number;
  readonly roomNodes: number;
  readonly persistence: number;
  readonly partitions: number;
  readonly rooms: number;
  readonly people: number;
  /** How long things go wrong, in virtual time. */
  readonly safetyMs: number;
  /** How long the world may take to be whole again after that. */
  readonly convergeMs: number;
  /** The mean time between two things that one person does. */
  readonly thinkMs: number;
  /** The mean time between two faults. */
  readonly faultMs: number;
  /** Archived entries that stay in the log. */
  readonly keepEntries: number;
  readonly faults: readonly Fault[];
}

const CONVERGE_MS = 90_000;

export function optionsOf(seed: number): Options {
  const dice = new Dice(seed, "options");
  const share = dice.between(0.15, 0.7);
  return {
    seed,
    gateways: dice.int(1, 3),
    roomNodes: dice.int(1, 3),
    persistence: dice.int(1, 2),
    partitions: dice.int(1, 3),
    rooms: dice.int(1, 4),
    people: dice.int(2, 5),
    safetyMs: dice.int(8_000, 25_000),
    convergeMs: CONVERGE_MS,
    thinkMs: dice.int(80, 600),
    faultMs: dice.int(400, 3_000),
    keepEntries: dice.int(1, 30),
    faults: FAULTS.filter(() => dice.chance(share)),
  };
}

export function describeOptions(options: Options): string {
  const { faults, ...rest } = options;
  const sizes = Object.entries(rest).map(([name, value]) => `${name}=${value}`);
  return `${sizes.join(" ")}\n  faults: ${faults.join(" ") || "none"}`;
}
