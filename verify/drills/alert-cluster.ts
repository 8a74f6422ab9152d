// AlertCluster: the cluster of the alerts drill, with the operations that its faults need.
//
// Owns: the cluster, the proxies between room nodes and NATS, the steady load. Does not own: the
// fault of each alert (alert-faults.ts), the state of the alerts (prometheus.ts).
//
//   alert-cluster.1. Every process keeps one port for /metrics during the whole drill, so that a
//        restarted process is the same target for Prometheus.
//   alert-cluster.2. A disabled process fails like one of a bad deployment: it is killed, and each
//        new start exits at once because its NATS key is missing.

import { jetstreamManager } from "@nats-io/jetstream";
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { join } from "node:path";
import { Client } from "pg";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { openConfigBucket } from "#shared/adapters/settings-nats.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { Partition, RoomId } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { until } from "#shared/testing/wait.ts";
import { Network } from "../chaos/network.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { Cluster } from "#infra/embedded/cluster.ts";
import { freePorts } from "#infra/embedded/ports.ts";
import { Owners } from "./owners.ts";
import type { Target } from "./prometheus.ts";
import { SteadyLoad } from "./steady-load.ts";

export const PARTITIONS = 8;
export const ROOMS = Array.from({ length: 24 }, (_, i) => `steady-${i}` as RoomId);
const RATE = 40;
const SERVICES = { gateway: 2, room: 2, persistence: 2 } as const;
export const LOG_BYTES_MAX = 512 * 1024 * 1024;
const RUNS_AGAIN_MS = 60_000;
/** A leak fills this heap within two minutes. */
export const HEAP_MIB = 512;
/** Archived entries leave the log at once, so that only unarchived ones fill it. */
const LOG_KEEP_SHARE = "0";

export class AlertCluster implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly load: SteadyLoad;
  readonly owners: Owners;
  readonly targets: readonly Target[];
  /** The folder of attachments that gateways and persistence share. */
  readonly attachmentsDir: string;
  readonly #stack: AsyncDisposableStack;
  readonly #ports: ReadonlyMap<string, string>;

  static async open(dataDir: string, say: (line: string) => void): Promise<AlertCluster> {
    await using stack = new AsyncDisposableStack();
    const network = new Network({ isNeeded: true, seed: 1 });
    stack.defer(() => network.close());
    const cluster = new Cluster({
      ...DEFAULTS,
      dataDir,
      port: 0,
      gateways: SERVICES.gateway,
      rooms: SERVICES.room,
      persistence: SERVICES.persistence,
      nats: 3,
      partitions: PARTITIONS,
      logBytesMax: LOG_BYTES_MAX,
      limits: "off",
      heapMib: HEAP_MIB,
      env: { LOG_KEEP_SHARE },
      route: (service, server, urls) =>
        service.startsWith("room-") && server === "nats"
          ? network.through(service, server, urls)
          : Promise.resolve(urls),
      say,
    });
    stack.use(cluster);
    const names = Object.entries(SERVICES).flatMap(([role, count]) =>
      Array.from({ length: count }, (_, i) => `${role}-${i + 1}`),
    );
    const free = await freePorts(names.length);
    const ports = new Map(names.map((name, i) => [name, String(free[i])]));
    // alert-cluster.1
    for (const [name, port] of ports) cluster.setEnv(name, { METRICS_PORT: port });
    await cluster.start();
    const owners = stack.use(await Owners.open(cluster.natsAccess));
    const load = await SteadyLoad.open({ ...cluster.info(), rooms: ROOMS, rate: RATE });
    stack.use(load);
    const attachmentsDir = join(dataDir, "attachments");
    const parts = { cluster, network, load, owners, attachmentsDir };
    return new AlertCluster(parts, ports, stack.move());
  }

  private constructor(
    parts: Pick<AlertCluster, "cluster" | "network" | "load" | "owners" | "attachmentsDir">,
    ports: ReadonlyMap<string, string>,
    stack: AsyncDisposableStack,
  ) {
    this.cluster = parts.cluster;
    this.network = parts.network;
    this.load = parts.load;
    this.owners = parts.owners;
    this.attachmentsDir = parts.attachmentsDir;
    this.#ports = ports;
    this.#stack = stack;
    this.targets = Array.from(ports, ([instance, port]) => ({
      job: instance.replace(/-\d+$/, ""),
      instance,
      address: `127.0.0.1:${port}`,
    }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  /** `ws://…/v1/ws` of a gateway by its number, also while it is down. */
  socketUrl(gateway: number): string {
    const { gateways } = this.cluster.info();
    return `${gateways[gateway % gateways.length]?.url.replace("http", "ws") ?? ""}/v1/ws`;
  }

  /** alert-cluster.2. Resolves when the processes exited. */
  async disable(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.cluster.setEnv(name, { ...this.#envOf(name), NATS_NKEY_FILE: "/nonexistent/nkey" });
    }
    await Promise.all(names.map((name) => this.cluster.kill(name)));
  }

  /** Undoes `disable`. Resolves when the processes run again. */
  async enable(...names: readonly string[]): Promise<void> {
    for (const name of names) this.cluster.setEnv(name, this.#envOf(name));
    await this.enabled(...names);
  }

  /** Resolves when the processes run. */
  async enabled(...names: readonly string[]): Promise<void> {
    await until(() => names.every((name) => this.cluster.pid(name) !== undefined), {
      withinMs: RUNS_AGAIN_MS,
      what: `${names.join(", ")} to run again`,
    });
  }

  /** Restarts a process with these variables beside its own. */
  async restart(name: string, env: NodeJS.ProcessEnv): Promise<void> {
    this.cluster.setEnv(name, { ...this.#envOf(name), ...env });
    await this.cluster.terminate(name);
    await this.enabled(name);
    // Its next start has only its own variables again.
    this.cluster.setEnv(name, this.#envOf(name));
  }

  /** Sets `max_bytes` of every log from its current size. */
  boundLogs(bytesMax: (held: number) => number): Promise<void> {
    return this.#withNats(async (manager) => {
      for (let p = 0; p < PARTITIONS; p++) {
        const { state } = await manager.streams.info(subjects.stream(p));
        await manager.streams.update(subjects.stream(p), { max_bytes: bytesMax(state.bytes) });
      }
    });
  }

  /** Purges all but the newest `keep` entries of the partition log of `room`. */
  purge(room: RoomId, keep: number): Promise<void> {
    const p: Partition = partitionOf(room, PARTITIONS);
    return this.#withNats(async (manager) => {
      await manager.streams.purge(subjects.stream(p), { keep });
    });
  }

  /** Writes a setting without the `parley` command, which would refuse it. */
  putSetting(key: string, text: string): Promise<void> {
    return this.#withNats(async (_, connection) => {
      await (await openConfigBucket(connection)).put(key, text);
    });
  }

  /** The number of large messages of these rooms in PostgreSQL. */
  async archived(rooms: readonly RoomId[]): Promise<number> {
    const names = rooms.map((room) => `'${room}'`).join(", ");
    const text = `select room from events where room in (${names}) and length(line) > 10000`;
    return this.sql(text);
  }

  /** Returns the number of rows of the result. */
  async sql(text: string): Promise<number> {
    const client = new Client({ connectionString: this.cluster.databaseUrl });
    await client.connect();
    try {
      return (await client.query(text)).rowCount ?? 0;
    } finally {
      await client.end();
    }
  }

  #envOf(name: string): NodeJS.ProcessEnv {
    return { METRICS_PORT: this.#ports.get(name) };
  }

  /** Opens a connection for each operation: an older one may hang on a paused server. */
  async #withNats(
    act: (manager: JetStreamManager, connection: NatsConnection) => Promise<void>,
  ): Promise<void> {
    const connection = await connectNats({
      ...this.cluster.natsAccess,
      name: "drill",
      inboxPrefix: "_INBOX_admin",
    });
    try {
      await act(await jetstreamManager(connection), connection);
    } finally {
      await connection.close();
    }
  }
}
