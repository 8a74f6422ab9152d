// Launches three nats-servers as one JetStream cluster, for tests: each a real process with its
// folder.
//
//   launch-nats-cluster.1. It returns when JetStream has a leader and all three servers are its
//        peers, or throws and leaves no process behind.
//   launch-nats-cluster.2. A member keeps its name, its ports and its folder across restarts.

import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../adapters/nats-connect.ts";
import { launchNats } from "./launch-nats.ts";
import type { NatsServer } from "./launch-nats.ts";
import { freePort } from "./ports.ts";
import { until } from "./wait.ts";

export const CLUSTER_SIZE = 3;
const LEADER_WITHIN_MS = 60_000;

export interface NatsCluster extends AsyncDisposable {
  /** All three URLs, separated by commas. */
  readonly url: string;
  /** By name: "nats-1", "nats-2", "nats-3". */
  readonly servers: ReadonlyMap<string, NatsServer>;
  /** The name of the server that leads a stream; undefined while there is no leader. */
  leaderOf(stream: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export async function launchNatsCluster(): Promise<NatsCluster> {
  const routes = await distinctPorts();
  const launched = await Promise.allSettled(
    routes.map((routePort, index) =>
      launchNats({ member: { name: `nats-${index + 1}`, routePort, routes } }),
    ),
  );
  const servers = launched.flatMap((launch) => (launch.status === "fulfilled" ? launch.value : []));
  const cluster = new LaunchedCluster(servers);
  const failed = launched.find((launch) => launch.status === "rejected");
  try {
    if (failed !== undefined) throw failed.reason;
    await until(() => cluster.hasLeader(), {
      withinMs: LEADER_WITHIN_MS,
      what: "a leader of JetStream",
    });
    return cluster;
  } catch (error: unknown) {
    await cluster.stop(); // launch-nats-cluster.1
    throw error;
  }
}

/** The parts of a server's /jsz that this file reads. */
interface JetStreamStatus {
  readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number };
}

class LaunchedCluster implements NatsCluster {
  readonly url: string;
  readonly servers: ReadonlyMap<string, NatsServer>;

  constructor(servers: readonly NatsServer[]) {
    this.url = servers.map((server) => server.url).join(",");
    this.servers = new Map(servers.map((server, index) => [`nats-${index + 1}`, server]));
  }

  async hasLeader(): Promise<boolean> {
    for (const { monitorUrl } of this.servers.values()) {
      const answer = await fetch(`${monitorUrl}/jsz`).catch(() => undefined);
      const status = ((await answer?.json()) ?? {}) as JetStreamStatus;
      const { leader = "", cluster_size: size } = status.meta_cluster ?? {};
      if (leader === "" || size !== CLUSTER_SIZE) return false;
    }
    return true;
  }

  async leaderOf(stream: string): Promise<string | undefined> {
    const options = { url: this.url, name: "test-leader", inboxPrefix: "_INBOX_admin" };
    const connection = await connectNats(options);
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      return (await manager.streams.info(stream)).cluster?.leader;
    } catch {
      return undefined; // A stream without a leader has no answer.
    } finally {
      await connection.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function distinctPorts(): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < CLUSTER_SIZE) ports.add(await freePort());
  return [...ports];
}
