// `make drill-failover`: how long rooms wait when room nodes are killed, paused or restarted.
//
//   node verify/drills/failover.ts KILLS=20 PAUSES=2 ROLLS=1
//
// F2: kill -9 of a room node. F3: SIGSTOP for 15 s. F22: SIGTERM to every service in turn. The
// supervisor restarts every process. SDK clients send 500 messages a second to 100 rooms on three
// room nodes. A room is back with the first answer to a message that was sent after the fault. Only
// the rooms of the hit node count. Not measured: the invariants (verify/checker in the end-to-end
// tests), more than one machine, replicated streams.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { percentile } from "./acks.ts";
import { Owners } from "./owners.ts";
import { SteadyLoad } from "./steady-load.ts";

const PARTITIONS = 16;
const RATE = 500;
const ROOMS = Array.from({ length: 100 }, (_, i) => `steady-${i}` as RoomId);
const PAUSE_MS = 15_000;
const BACK_WITHIN_MS = 60_000;
/** After a restart: time for beats, hand-overs and a quiet second. */
const SETTLE_MS = 4_000;

interface Drill {
  readonly cluster: Cluster;
  readonly load: SteadyLoad;
  readonly owners: Owners;
}

function show(what: string, values: readonly number[]): void {
  const [p50, p99, max] = [percentile(values, 0.5), percentile(values, 0.99), Math.max(...values)];
  const figures = [p50, p99, max].map(Math.round);
  console.log(
    `${what}: ${values.length} rooms, p50 ${figures[0]} p99 ${figures[1]} max ${figures[2]} ms`,
  );
}

async function settle({ cluster }: Drill): Promise<void> {
  const all = cluster.names;
  await until(() => all.every((name) => cluster.pid(name) !== undefined), {
    withinMs: BACK_WITHIN_MS,
    what: "every process to run",
  });
  await sleep(SETTLE_MS);
}

/** The next room node to hit, and the rooms that it owns. */
function victim({ cluster, owners }: Drill, round: number): { name: string; rooms: RoomId[] } {
  const nodes = cluster.info().rooms.map(({ name }) => name);
  const name = nodes[round % nodes.length] ?? "";
  return { name, rooms: owners.roomsOf(cluster.idOf(name) ?? "", ROOMS, PARTITIONS) };
}

async function kill(drill: Drill, round: number): Promise<number[]> {
  const { name, rooms } = victim(drill, round);
  const { back } = drill.load.watch();
  await drill.cluster.kill(name);
  await until(() => rooms.every((room) => back.has(room)), {
    withinMs: BACK_WITHIN_MS,
    what: "every room of the killed node to be back",
  });
  return rooms.map((room) => back.get(room) ?? NaN);
}

async function pause(drill: Drill, round: number): Promise<number[]> {
  const { cluster, load } = drill;
  const { name, rooms } = victim(drill, round);
  const { back, longest } = load.watch();
  const resumed = sleep(PAUSE_MS).then(() => cluster.resume(name));
  cluster.pause(name);
  await resumed;
  await sleep(SETTLE_MS); // The time after the resume counts too.
  show(`  F3 longest wait of a message around pause ${round + 1}`, [...longest.values()]);
  return rooms.map((room) => back.get(room) ?? PAUSE_MS + SETTLE_MS);
}

async function roll(drill: Drill): Promise<void> {
  const { cluster, load } = drill;
  for (const name of cluster.names.filter((each) => !/^(nats|postgres)/.test(each))) {
    const { longest } = load.watch();
    const began = performance.now();
    await cluster.terminate(name);
    const tookMs = Math.round(performance.now() - began);
    await settle(drill);
    show(`F22 ${name} exited after ${tookMs} ms; longest wait of a message`, [...longest.values()]);
  }
}

async function repeat(drill: Drill, what: string, times: number, run: typeof kill): Promise<void> {
  const all: number[] = [];
  for (let round = 0; round < times; round++) {
    const waited = await run(drill, round);
    console.error(`  ${what} ${round + 1}: ${waited.map(Math.round).join(" ")}`);
    all.push(...waited);
    await settle(drill);
  }
  if (times > 0) show(`${what}, ${times} times, back after`, all);
}

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const times = (name: string, otherwise: number): number => Number(asked.get(name) ?? otherwise);
const dataDir = await mkdtemp(join(tmpdir(), "parley-drill-"));
const cluster = await startCluster({
  dataDir,
  port: 0,
  gateways: 2,
  rooms: 3,
  persistence: 2,
  partitions: PARTITIONS,
  limits: "off",
  say: (line) => console.error(`  ${line}`),
});
try {
  using owners = await Owners.open(cluster.natsAccess);
  using load = await SteadyLoad.open({ ...cluster.info(), rooms: ROOMS, rate: RATE });
  const drill = { cluster, load, owners };
  await settle(drill);
  await repeat(drill, "F2 kill -9 of a room node", times("KILLS", 20), kill);
  await repeat(drill, "F3 SIGSTOP of a room node, 15 s", times("PAUSES", 2), pause);
  for (let round = 0; round < times("ROLLS", 1); round++) await roll(drill);
  await load.drain(BACK_WITHIN_MS);
  const { acked, reconnects, errors } = load;
  console.log(`${acked} acknowledged, ${reconnects} reconnects, ${errors.length} errors`);
  for (const error of errors.slice(0, 10)) console.log(`  ${error}`);
} finally {
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}
