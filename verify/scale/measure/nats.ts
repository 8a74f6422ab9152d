// NATS: what a real nats-server needs for each message, subscription, append and replica of a log.
//
// CPU time and memory are those of the server processes, from /proc.

import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import { createLogger } from "#shared/process/logger.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { launchNatsCluster } from "#shared/testing/launch-nats-cluster.ts";
import { cpuOf, rssOf, total } from "../../../loadtest/bench/cpu.ts";

const SUBSCRIBERS = 20;
const MESSAGES = 20_000;
const SUBSCRIPTIONS = 100_000;
const PARTITIONS = 16;
const APPENDS = 4_000;
const RAFT_PARTITIONS = 64;
const RAFT_MS = 20_000;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const BODY = "x".repeat(120);
const logger = createLogger({ name: "scale", level: "silent" });

export interface NatsCosts {
  /** Microseconds of CPU for one message to one subscriber. */
  readonly messageUs: number;
  /** In addition, for each further subscriber. */
  readonly deliveryUs: number;
  /** Bytes of resident memory for one subscription to a subject of its own. */
  readonly subscriptionBytes: number;
  /** Microseconds of CPU for one append with its fsync. */
  readonly appendUs: number;
  /** Microseconds of CPU a second for one idle replica of a partition log, of three. */
  readonly replicaUs: number;
}

export async function measureNats(): Promise<NatsCosts> {
  const one = await onServer((server) => fanOut(server, 1));
  const many = await onServer((server) => fanOut(server, SUBSCRIBERS));
  return {
    messageUs: one,
    deliveryUs: (many - one) / (SUBSCRIBERS - 1),
    subscriptionBytes: await onServer(subscriptions),
    appendUs: await onServer(appends),
    replicaUs: await replicas(),
  };
}

async function onServer<T>(run: (server: NatsServer) => Promise<T>): Promise<T> {
  await using server = await launchNats();
  return await run(server);
}

function connect(url: string, name: string): Promise<NatsBus> {
  return openNatsBus({ url, name, inboxPrefix: `_INBOX_${name}`, logger });
}

/** Microseconds of the server for one message, spread over many small bursts as beats are. */
async function fanOut(server: NatsServer, subscribers: number): Promise<number> {
  const publisher = await connect(server.url, "publisher");
  const buses = await Promise.all(
    Array.from({ length: subscribers }, (_, i) => connect(server.url, `subscriber-${i}`)),
  );
  let received = 0;
  for (const bus of buses) bus.subscribe("node.room", () => void received++);
  await Promise.all(buses.map((bus) => bus.flush()));
  const burst = 10;
  const before = cpuUs(server);
  for (let sent = 0; sent < MESSAGES / subscribers; sent += burst) {
    for (let i = 0; i < burst; i++) publisher.publish("node.room", BODY);
    await publisher.flush();
  }
  await Promise.all(buses.map((bus) => bus.flush()));
  const used = cpuUs(server) - before;
  const sent = Math.ceil(MESSAGES / subscribers / burst) * burst;
  if (received !== sent * subscribers) throw new Error(`${received} messages arrived`);
  await Promise.all([publisher, ...buses].map((bus) => bus.close()));
  return used / sent;
}

async function subscriptions(server: NatsServer): Promise<number> {
  const bus = await connect(server.url, "gateway");
  const before = rss(server);
  for (let i = 0; i < SUBSCRIPTIONS; i++) {
    bus.subscribe(`out.room-${i}`, () => undefined);
    if (i % 1_000 === 0) await bus.flush();
  }
  await bus.flush();
  const bytes = (rss(server) - before) / SUBSCRIPTIONS;
  await bus.close();
  return bytes;
}

/** Two appends in flight for each partition, as under a light load. */
async function appends(server: NatsServer): Promise<number> {
  const bus = await connect(server.url, "room");
  await provision(bus.connection, {
    partitions: PARTITIONS,
    replicas: 1,
    logBytesMax: LOG_BYTES_MAX,
  });
  const log = openNatsLog(bus);
  const before = cpuUs(server);
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, p) => {
      for (let last = 0; last < APPENDS / PARTITIONS; last += 2) {
        const both = [log.append(p, BODY, last), log.append(p, BODY, last + 1)];
        for (const { kind } of await Promise.all(both)) {
          if (kind !== "ok") throw new Error(`an append was answered with ${kind}`);
        }
      }
    }),
  );
  const used = cpuUs(server) - before;
  await bus.close();
  return used / APPENDS;
}

/** The heartbeats of replicated logs: three idle servers with logs, minus the same without. */
async function replicas(): Promise<number> {
  await using cluster = await launchNatsCluster();
  const pids = new Map([...cluster.servers].map(([name, { pid }]) => [name, pid]));
  const used = async (): Promise<number> => {
    const before = total(cpuOf(pids));
    await new Promise((resolve) => setTimeout(resolve, RAFT_MS));
    return total(cpuOf(pids)) - before;
  };
  const empty = await used();
  const bus = await connect(cluster.url, "provision");
  await provision(bus.connection, {
    partitions: RAFT_PARTITIONS,
    replicas: 3,
    logBytesMax: LOG_BYTES_MAX,
  });
  await new Promise((resolve) => setTimeout(resolve, RAFT_MS / 2)); // The elections are over.
  const full = await used();
  await bus.close();
  return (full - empty) / (RAFT_MS / 1_000) / (3 * RAFT_PARTITIONS);
}

function cpuUs({ pid }: NatsServer): number {
  return total(cpuOf(new Map([["nats", pid]])));
}

function rss({ pid }: NatsServer): number {
  return rssOf(new Map([["nats", pid]])).get("nats") ?? 0;
}
