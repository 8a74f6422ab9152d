// Stretched: one NATS cluster with a server in each region and one at the witness, three replicas
// of every log, services in both regions.
//
// NATS and the room nodes fail over by themselves. PostgreSQL does not: the drill stands in for its
// manager. Watchers in the other region and at the witness must both miss the primary; then the
// drill ends the old primary and its persistence, promotes the standby, and starts persistence
// there.

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { other, PostgresPair } from "./postgres-pair.ts";
import { REGIONS } from "./region-network.ts";
import type { PlaceName, RegionName } from "./region-network.ts";
import type { PairOptions, RegionPair } from "./region-pair.ts";

const SERVERS: readonly PlaceName[] = ["east", "west", "witness"];
const ROUTE_PORT = 6_222;
const CURRENT_WITHIN_MS = 120_000;
const WATCHER = fileURLToPath(new URL("watcher.ts", import.meta.url));

export class Stretched implements RegionPair {
  readonly partitions: number;
  readonly servesBoth = true;
  readonly mayLose = false;
  readonly #options: PairOptions;
  readonly #servers = new Map<PlaceName, NatsServer>();
  readonly #services = new Map<RegionName, Cluster>();
  #postgres: PostgresPair | undefined;
  /** It runs in the region of the primary only: elsewhere it could not write. */
  #persistence: Cluster | undefined;
  #primary: RegionName;

  static async open(options: PairOptions): Promise<Stretched> {
    const pair = new Stretched(options);
    try {
      await pair.#start();
      return pair;
    } catch (error: unknown) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(options: PairOptions) {
    this.#options = options;
    this.#primary = options.first;
    this.partitions = options.partitions;
  }

  gateway(region: RegionName): string {
    return this.#services.get(region)?.url ?? "";
  }

  nats(place: PlaceName): NatsAccess {
    return { url: this.#servers.get(place)?.url ?? "" };
  }

  databaseUrl(region: RegionName): string {
    return this.#pair.url(region);
  }

  async failOver(lost: RegionName): Promise<void> {
    const { network } = this.#options;
    const { hostname, port } = new URL(this.databaseUrl(lost));
    const watching = [other(lost), "witness" as const];
    await Promise.all(
      watching.map(async (name) => {
        const [program = "", ...words] = network.place(name).runner;
        const child = fork(WATCHER, [hostname, port], {
          execPath: program,
          execArgv: [...words, process.execPath],
        });
        await once(child, "message");
      }),
    );
    await this.#persistence?.killAll();
    await this.#pair.kill(lost);
    await this.#pair.promote(other(lost));
    await this.#startPersistence(other(lost));
  }

  async rejoin(lost: RegionName): Promise<void> {
    await this.#pair.follow(lost);
    await this.#isCurrent();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#services.values()].map((cluster) => cluster.stop()));
    await this.#persistence?.stop();
    await this.#postgres?.stop();
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
  }

  get #pair(): PostgresPair {
    if (this.#postgres === undefined) throw new Error("PostgreSQL was not started");
    return this.#postgres;
  }

  async #start(): Promise<void> {
    const { network, dir, first } = this.#options;
    const routes = SERVERS.map((name) => `${network.place(name).host}:${ROUTE_PORT}`);
    const places = { east: network.place("east"), west: network.place("west") };
    const launches = SERVERS.map(async (name) => {
      const { host, runner } = network.place(name);
      const member = { name: `nats-${name}`, routePort: ROUTE_PORT, routes };
      const folder = join(dir, `nats-${name}`);
      const server = await launchNats({ dir: folder, host, runner, member, detached: true });
      this.#servers.set(name, server);
    });
    const [postgres] = await Promise.all([PostgresPair.open(dir, places, first), ...launches]);
    this.#postgres = postgres;
    await this.#startPersistence(first);
    for (const region of REGIONS) {
      this.#services.set(region, await this.#cluster(region, { gateways: 1, rooms: 1 }));
    }
  }

  async #startPersistence(region: RegionName): Promise<void> {
    this.#primary = region;
    this.#persistence = await this.#cluster(region, { persistence: 1 });
  }

  #cluster(
    region: RegionName,
    count: { gateways?: number; rooms?: number; persistence?: number },
  ): Promise<Cluster> {
    const { network, dir, partitions, say } = this.#options;
    const { host, runner } = network.place(region);
    const kinds = Object.keys(count).join("-");
    return startCluster({
      gateways: 0,
      rooms: 0,
      persistence: 0,
      ...count,
      dataDir: join(dir, `${region}-${kinds}`),
      port: 0,
      host,
      runner,
      nats: 3,
      natsUrl: this.nats(region).url,
      databaseUrl: this.databaseUrl(this.#primary),
      partitions,
      limits: "off",
      env: { DEV_SECRET_FILE: join(dir, "dev-secret"), LOG_KEEP_ENTRIES: "1000000" },
      say,
    });
  }

  /** Resolves when every replica of every log has caught up. */
  async #isCurrent(): Promise<void> {
    const { url } = this.nats("witness");
    const connection = await connectNats({ url, name: "drill", inboxPrefix: "_INBOX_admin" });
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const isCurrent = async (p: number): Promise<boolean> => {
        const info = await manager.streams.info(subjects.stream(p)).catch(() => undefined);
        const replicas = info?.cluster?.replicas ?? [];
        return (
          info?.cluster?.leader !== undefined &&
          replicas.length === SERVERS.length - 1 &&
          replicas.every(({ current, offline }) => current && !(offline ?? false))
        );
      };
      for (let p = 0; p < this.partitions; p++) {
        await until(() => isCurrent(p), {
          withinMs: CURRENT_WITHIN_MS,
          what: `all replicas of log ${p} to be current`,
        });
      }
    } finally {
      await connection.close();
    }
  }
}
