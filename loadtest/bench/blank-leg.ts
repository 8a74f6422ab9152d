// Blank leg: a leg without counted messages. Its results are the named figures (`more`).

import { rssOf } from "./cpu.ts";
import type { Leg } from "./figures.ts";
import type { ItemOptions } from "./item.ts";
import type { Peer } from "./peer.ts";
import { byName } from "./run.ts";

export function blankLeg(peer: Peer, shape: string, seconds: number): Leg {
  return {
    shape,
    peer: peer.name,
    seconds,
    expected: 0,
    delivered: 0,
    cpuUs: 0,
    cpuUsBy: {},
    rssMb: byName(rssOf(peer.pids), (bytes) => bytes / 2 ** 20),
    slipMs: { p99: 0, worst: 0 },
    generatorCpu: 0,
    nodes: {},
    complaints: {},
  };
}

export function sayMore({ say }: ItemOptions): (leg: Leg) => void {
  return ({ peer, more = {} }) => {
    const figures = Object.entries(more).map(([name, value]) => `${name} ${value.toFixed(2)}`);
    say(`  ${peer.padEnd(26)} ${figures.join("  ")}`);
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
