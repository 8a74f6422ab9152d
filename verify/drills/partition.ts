// `make drill-partition`: row F8 of the fault table, on three NATS servers in network namespaces.
//
//   node verify/drills/partition.ts [rounds]
//
// Each fault cuts the server that leads the most logs from its peers for HOLD_MS, in one of four
// ways, while writers send. Measured: how long rooms wait from the cut and from the heal. Judged:
// every room is back within BACK_MS of the heal, the records of the writers agree with log, archive
// and pages (verify/checker), and the three replicas of every log hold the same entries.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import { percentile } from "./acks.ts";
import { WriterLoad } from "./writer-load.ts";
import { Namespaces } from "./namespaces.ts";
import type { Namespace } from "./namespaces.ts";
import { dumpReplicas } from "./replicas.ts";

const PARTITIONS = 4;
const ROOMS = Array.from({ length: 12 }, (_, i) => `drill-${i}` as RoomId);
const SERVERS = 3;
const ROUTE_PORT = 6_222;
const HOLD_MS = 10_000;
/** The deadline of F8, from the heal. */
const BACK_MS = 10_000;
const LEADER_WITHIN_MS = 60_000;
const BETWEEN = 300;

type Cut = (namespaces: Namespaces, leader: Namespace, peers: readonly Namespace[]) => void;
const FAULTS: readonly (readonly [what: string, cut: Cut])[] = [
  [
    "the leader in a minority, clients reach all",
    (net, leader, peers) =>
      peers.forEach((peer) => {
        net.cut(leader, peer);
        net.cut(peer, leader);
      }),
  ],
  [
    "one way: packets from the leader to its peers are lost",
    (net, leader, peers) => peers.forEach((peer) => net.cut(leader, peer)),
  ],
  [
    "one way: packets from its peers to the leader are lost",
    (net, leader, peers) => peers.forEach((peer) => net.cut(peer, leader)),
  ],
  ["the leader cut from peers and clients", (net, leader) => net.isolate(leader)],
];

const opening = Namespaces.open(SERVERS);
if (opening.kind === "unavailable") {
  console.log(`F8 is left out: no network namespaces on this machine (${opening.reason})`);
  // A module cannot return. A machine without the right cannot fail the drill.
  process.exit(0);
}
using network = opening.namespaces;
const rounds = Number(process.argv[2] ?? 1);
const dataDir = await mkdtemp(join(tmpdir(), "parley-partition-"));
const servers = await launchServers(network.all, dataDir);
const natsUrl = servers.map(({ url }) => url).join(",");
await until(() => leads(natsUrl), { withinMs: LEADER_WITHIN_MS, what: "a leader of JetStream" });
const cluster = await startCluster({
  dataDir: join(dataDir, "cluster"),
  port: 0,
  nats: SERVERS,
  natsUrl,
  rooms: 2,
  partitions: PARTITIONS,
  limits: "off",
  env: { LOG_KEEP_ENTRIES: "1000000" }, // Keeps the whole log for the comparison.
  say: (line) => console.error(`  ${line}`),
});
let isPassed = true;
try {
  const options = { cluster, partitions: PARTITIONS, rooms: ROOMS };
  const load = await WriterLoad.open({ ...options, pendingMax: 2 });
  for (const [what, cut] of FAULTS) {
    const [during, after]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      await load.ackedMore(BETWEEN);
      const leader = network.all[await busiestLeader(natsUrl)];
      if (leader === undefined) throw new Error("no server leads a log");
      const peers = network.all.filter((one) => one !== leader);
      load.acks.begin(performance.now());
      cut(network, leader, peers);
      await sleep(HOLD_MS);
      during.push(...load.acks.back.values());
      network.heal();
      load.acks.begin(performance.now());
      after.push(...(await load.back()));
    }
    const [healed, served] = [Math.max(...after), during.length];
    isPassed &&= healed <= BACK_MS;
    console.log(
      `F8 ${what}: from the cut ${figures(during)} (${served} of ${rounds * ROOMS.length} ` +
        `rooms before the heal); from the heal ${figures(after)}`,
    );
  }
  await load.drain();
  const { counts, violations } = await load.judge();
  console.log(`F8 ${JSON.stringify(counts)}; ${violations.length} violations`);
  for (const violation of violations.slice(0, 10)) console.log(JSON.stringify(violation));
  isPassed &&= violations.length === 0;
  load[Symbol.dispose]();
  await cluster.stop();
  isPassed &&= await areEqual();
} finally {
  network.heal();
  await cluster.stop();
  await Promise.all(servers.map((server) => server.stop()));
  await rm(dataDir, { recursive: true, force: true });
}
console.log(isPassed ? "F8 passed" : "F8 FAILED");
process.exitCode = isPassed ? 0 : 1;

function launchServers(all: readonly Namespace[], dir: string): Promise<NatsServer[]> {
  const routes = all.map(({ host }) => `${host}:${ROUTE_PORT}`);
  return Promise.all(
    all.map(({ host, runner }, index) => {
      const name = `nats-${index + 1}`;
      const member = { name, routePort: ROUTE_PORT, routes };
      return launchNats({ dir: join(dir, name), host, runner, member });
    }),
  );
}

/**
 * Compares the replicas after the last write. Each server is cut from the others and read alone.
 */
async function areEqual(): Promise<boolean> {
  const lasts = await lastsOf(natsUrl);
  for (const one of network.all) {
    for (const other of network.all) if (one !== other) network.cut(one, other);
  }
  const dumps = await Promise.all(servers.map(({ url }) => dumpReplicas(url, lasts)));
  const [first, ...others] = dumps.map((dump) => JSON.stringify(dump));
  const isEqual = others.every((dump) => dump === first);
  const entries = lasts.reduce((sum, last) => sum + last, 0);
  console.log(`F8 replicas of ${entries} entries: ${isEqual ? "equal" : "DIFFERENT"}`);
  if (!isEqual) console.log(JSON.stringify(dumps));
  return isEqual;
}

async function leads(url: string): Promise<boolean> {
  return (await withManager(url, (manager) => manager.getAccountInfo())) !== undefined;
}

/** The index of the server that leads the most logs. */
async function busiestLeader(url: string): Promise<number> {
  const counts = Array.from({ length: SERVERS }, () => 0);
  await until(
    async () => {
      counts.fill(0);
      for (let p = 0; p < PARTITIONS; p++) {
        const info = await withManager(url, (manager) => manager.streams.info(subjects.stream(p)));
        const index = Number(info?.cluster?.leader?.slice("nats-".length)) - 1;
        if (!(index >= 0)) return false;
        counts[index] = (counts[index] ?? 0) + 1;
      }
      return true;
    },
    { withinMs: LEADER_WITHIN_MS, what: "every log to have a leader" },
  );
  return counts.indexOf(Math.max(...counts));
}

async function lastsOf(url: string): Promise<number[]> {
  const lasts: number[] = [];
  for (let p = 0; p < PARTITIONS; p++) {
    await until(
      async () => {
        const info = await withManager(url, (manager) => manager.streams.info(subjects.stream(p)));
        if (info?.cluster?.leader === undefined) return false;
        lasts[p] = info.state.last_seq;
        const { replicas = [] } = info.cluster;
        return replicas.length === SERVERS - 1 && replicas.every(({ current }) => current);
      },
      { withinMs: LEADER_WITHIN_MS, what: `all replicas of log ${p} to be current` },
    );
  }
  return lasts;
}

type Manager = Awaited<ReturnType<typeof jetstreamManager>>;

/** Undefined while no server answers. */
async function withManager<T>(
  url: string,
  ask: (manager: Manager) => Promise<T>,
): Promise<T | undefined> {
  const connection = await connectNats({ url, name: "drill", inboxPrefix: "_INBOX_admin" });
  try {
    return await ask(await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 }));
  } catch {
    return undefined; // The caller asks again.
  } finally {
    await connection.close();
  }
}

function figures(all: readonly number[]): string {
  if (all.length === 0) return "no acknowledgement";
  const [p50, p99] = [percentile(all, 0.5), percentile(all, 0.99)].map(Math.round);
  return `p50 ${p50} p99 ${p99} max ${Math.round(Math.max(...all))} ms`;
}
