// Many members item: 100,000 idle members on seven gateways of one machine: how fast they join, the
// memory and the CPU of one of them, and the time until they are back after their gateway was
// killed.
// `make bench ONLY=MANY ROUNDS=1`.
//
//   many-members.1. The members of a room are on several gateways, as behind a load balancer.
//   many-members.2. A gateway and a process of the generator have at most PER_GATEWAY connections,
//        for machines on which a process may have 20,000 open files.

import { join } from "node:path";
import { until } from "#shared/testing/wait.ts";
import { leg as playLeg } from "../alternate.ts";
import { blankLeg, pause, sayMore } from "../blank-leg.ts";
import { cpuOf, cpuSince, rssOf, total } from "../cpu.ts";
import { MembersProcess } from "../members-process.ts";
import type { MembersAnswer } from "../members-generator.ts";
import type { Leg } from "../figures.ts";
import { median } from "../figures.ts";
import { atMost } from "../item.ts";
import type { Item, ItemOptions, ItemResult } from "../item.ts";
import { pinServers } from "../peer.ts";
import { startParley } from "../peers/parley.ts";
import type { ParleyPeer } from "../peers/parley.ts";

const GATEWAYS = 7;
const PER_GATEWAY = 14_286;
const MEMBERS = 10;
/**
 * V8 collects the whole heap of each gateway once after the joins, which costs 0.65 s for 10,000
 * connections. Half a minute would count it as if it happened twice a minute.
 */
const IDLE_SECONDS = 120;
const SETTLE_MS = 10_000;
const RESTART_WITHIN_MS = 20_000;

const RSS = "memory of the gateways per connection, KiB";
const CPU = "CPU of all processes, µs/s per connection";
const BACK = "99 % back, s";
const CLOSED = "closed of other gateways";

export const MANY: Item = {
  id: "MANY",
  title: "100,000 idle members on seven gateways; then one gateway is killed",
  async play(options): Promise<ItemResult> {
    const legs: Leg[] = [];
    const start = (): Promise<ParleyPeer> => startParley({ gateways: GATEWAYS, restart: true });
    for (let round = 0; round < options.rounds; round++) {
      legs.push(await playLeg(start, (peer) => play(peer, options), sayMore(options)));
    }
    const of = (name: string): number => median(legs.map(({ more }) => more?.[name] ?? NaN));
    const verdicts = [
      atMost(RSS, of(RSS), 16, "KiB"),
      atMost(CPU, of(CPU), 4, "µs/s"),
      atMost(BACK, of(BACK), 60, "s"),
      atMost(CLOSED, of(CLOSED), 0, "connections"),
    ];
    return { legs, verdicts };
  },
};

async function play(peer: ParleyPeer, options: ItemOptions): Promise<Leg> {
  const seconds = options.seconds ?? IDLE_SECONDS;
  const each = Math.round(PER_GATEWAY * options.scale);
  const count = GATEWAYS * each;
  const processes = processesOf(peer, each);
  try {
    const rssBefore = gatewayBytes(peer);
    const cpuBefore = cpuOf(peer.pids);
    const began = performance.now();
    const connected = await all(processes, "connect");
    const tookMs = performance.now() - began;
    const joinUs = total(cpuSince(cpuBefore, cpuOf(peer.pids))) / count;
    await pause(SETTLE_MS);
    const rss = gatewayBytes(peer) - rssBefore;
    const idleBefore = cpuOf(peer.pids);
    await pause(seconds * 1_000);
    const idleUs = total(cpuSince(idleBefore, cpuOf(peer.pids)));
    const leg = blankLeg(peer, `${count.toLocaleString("en")} idle members`, seconds);

    await peer.cluster.kill("gateway-1");
    const isRestarted = (): boolean => peer.cluster.pid("gateway-1") !== undefined;
    await until(isRestarted, { withinMs: RESTART_WITHIN_MS, what: "a new gateway" });
    pinServers([peer.cluster.pid("gateway-1") ?? 0]);
    const [back] = await all(processes.slice(0, 1), "back");
    const others = await all(processes.slice(1), "closes");
    const backMs = back?.backMs ?? [];
    return {
      ...leg,
      more: {
        connections: count,
        "joins/s": count / (tookMs / 1_000),
        "failed connections": connected.reduce((sum, one) => sum + one.failed, 0),
        "join p50, ms": median(connected.map(({ readyMs }) => readyMs.p50)),
        "join p99, ms": Math.max(...connected.map(({ readyMs }) => readyMs.p99)),
        "CPU of all processes per join, µs": joinUs,
        [RSS]: rss / count / 2 ** 10,
        [CPU]: idleUs / seconds / count,
        reconnects: backMs.length,
        [BACK]: (backMs[Math.ceil(0.99 * backMs.length) - 1] ?? NaN) / 1_000,
        "all back, s": (backMs.at(-1) ?? NaN) / 1_000,
        [CLOSED]: others.reduce((sum, { closes }) => sum + closes, 0),
      },
    };
  } finally {
    for (const one of processes) one.stop();
  }
}

/** many-members.1: user n is a member of room n modulo the number of rooms. */
function processesOf({ cluster }: ParleyPeer, each: number): readonly MembersProcess[] {
  const secretFile = join(cluster.dataDir, "dev-secret");
  return cluster.info().gateways.map(({ url }, n) => {
    return new MembersProcess({
      port: Number(new URL(url).port),
      secretFile,
      first: n * each,
      count: each,
      rooms: Math.max(1, Math.round((GATEWAYS * each) / MEMBERS)),
    });
  });
}

function all(
  processes: readonly MembersProcess[],
  t: "connect" | "closes" | "back",
): Promise<readonly MembersAnswer[]> {
  return Promise.all(processes.map((one) => one.command({ t })));
}

function gatewayBytes({ pids }: ParleyPeer): number {
  const ofGateways = [...rssOf(pids)].filter(([name]) => name.startsWith("gateway-"));
  return ofGateways.reduce((sum, [, bytes]) => sum + bytes, 0);
}
