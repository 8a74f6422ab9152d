// Idle item: what a cluster costs while no user is there: CPU and wake-ups of each process, and the
// memory of a gateway before its first connection. `make bench ONLY=IDLE BASE=../before` compares.

import { readdirSync, readFileSync } from "node:fs";
import { blankLeg, pause } from "../blank-leg.ts";
import { cpuOf, cpuSince, rssOf, total } from "../cpu.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import type { Peer } from "../peer.ts";
import { PARLEY } from "../peers/parley.ts";
import { playVersions, toBase } from "../versions.ts";

const SECONDS = 60;
/** A new cluster claims its partitions, and V8 compiles what runs often. */
const SETTLE_MS = 20_000;
/**
 * In its first two minutes V8 compiles what runs often, and collects the whole heap of each process
 * once or twice. Then the cluster is at rest.
 */
const REST_MS = 120_000;
const CPU = "CPU, ms/s";
const CPU_AT_REST = "CPU at rest, ms/s";
const GATEWAY_RSS = "RSS of the gateway, MiB";

export const IDLE: Item = {
  id: "IDLE",
  title: "a cluster without users: one process of each kind, 16 partitions",
  async play(options): Promise<ItemResult> {
    const legs = await playVersions(options, (peer) => idle(peer, options));
    const of = (peer: string, name: string): number =>
      median(legs.filter((one) => one.peer === peer).map(({ more }) => more?.[name] ?? NaN));
    const verdicts = [
      atMost("CPU of all processes, 20 s after the start", of(PARLEY, CPU), 8, "ms/s"),
      atMost("CPU of all processes at rest", of(PARLEY, CPU_AT_REST), 8, "ms/s"),
      atMost("RSS of the gateway before the first connection", of(PARLEY, GATEWAY_RSS), 90, "MiB"),
      ...toBase(legs, [CPU, CPU_AT_REST, GATEWAY_RSS]),
    ];
    return { legs, verdicts };
  },
};

async function idle(peer: Peer, options: ItemOptions): Promise<Leg> {
  const seconds = options.seconds ?? SECONDS;
  await pause(SETTLE_MS);
  const before = cpuOf(peer.pids);
  const switchesBefore = switchesOf(peer.pids);
  await pause(seconds * 1_000);
  const cpu = cpuSince(before, cpuOf(peer.pids));
  const switches = cpuSince(switchesBefore, switchesOf(peer.pids));
  const rssMiB = (rssOf(peer.pids).get("gateway-1") ?? NaN) / 2 ** 20;
  await pause(REST_MS);
  const restBefore = cpuOf(peer.pids);
  await pause(seconds * 1_000);
  const rest = cpuSince(restBefore, cpuOf(peer.pids));
  return {
    ...blankLeg(peer, "idle", seconds),
    more: {
      [CPU]: total(cpu) / 1_000 / seconds,
      [CPU_AT_REST]: total(rest) / 1_000 / seconds,
      "wake-ups/s": total(switches) / seconds,
      ...eachOf("ms/s", cpu, 1_000 * seconds),
      ...eachOf("ms/s at rest", rest, 1_000 * seconds),
      ...eachOf("wake-ups/s", switches, seconds),
      [GATEWAY_RSS]: rssMiB,
    },
  };
}

function eachOf(
  unit: string,
  values: ReadonlyMap<string, number>,
  divisor: number,
): Record<string, number> {
  return Object.fromEntries([...values].map(([name, n]) => [`${name}, ${unit}`, n / divisor]));
}

/** How often the threads of each process gave their core up to wait, without child processes. */
function switchesOf(pids: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...pids].map(([name, pid]) => [name, switchesOfOne(pid)]));
}

function switchesOfOne(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
    sum += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return sum;
}
