// BothServe: two regions that both serve: each has a home, a NATS cluster, an archive of its own
// and services. A witness holds a term for each home. Region agents take a lost home over by
// themselves.
//
// Owns: the servers of both regions, the steps of an operator at the start, at a rejoin and when a
// home goes back. Does not own: the programs of a region (region-programs.ts), the mechanism
// (services/region).

import { join } from "node:path";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { RegionMode } from "#shared/protocol/regions.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { freePort } from "#shared/testing/ports.ts";
import { until } from "#shared/testing/wait.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { Supervised } from "#infra/embedded/supervised.ts";
import { other } from "./postgres-pair.ts";
import { REGION_NETWORK, REGIONS } from "./region-network.ts";
import type { PlaceName, RegionName } from "./region-network.ts";
import {
  RegionOperator,
  SERVES_WITHIN_MS,
  startRegionAgent,
  startRegionNats,
  startRegionServices,
} from "./region-programs.ts";
import type { ProgramOptions, RegionServers } from "./region-programs.ts";

const STOP_MS = 20_000;

export class BothServe implements AsyncDisposable {
  readonly partitions: number;
  /** Whether the loss of a region may lose acknowledged messages of its home. */
  readonly mayLose: boolean;
  readonly #options: ProgramOptions;
  readonly #mode: RegionMode;
  readonly #nats = new Map<PlaceName, NatsServer>();
  readonly #postgres = new Map<RegionName, PostgresServer>();
  readonly #operator = new RegionOperator((region) => this.nats(region).url);
  readonly #services = new Map<RegionName, Cluster>();
  readonly #agents = new Map<RegionName, Supervised>();
  #rejoins = 0;

  static async open(mode: RegionMode, options: ProgramOptions): Promise<BothServe> {
    const both = new BothServe(mode, options);
    try {
      await both.#start();
      return both;
    } catch (error: unknown) {
      await both[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(mode: RegionMode, options: ProgramOptions) {
    this.#mode = mode;
    this.#options = options;
    this.partitions = options.partitions;
    this.mayLose = mode === "asynchronous";
  }

  gateway(region: RegionName): string {
    return this.#services.get(region)?.url ?? "";
  }

  nats(place: PlaceName): NatsAccess {
    return { url: this.#nats.get(place)?.url ?? "" };
  }

  databaseUrl(region: RegionName): string {
    return this.#postgres.get(region)?.url ?? "";
  }

  /** Resolves when the other region serves the home of the lost one. */
  takenOver(lost: RegionName): Promise<void> {
    return this.#operator.reaches(other(lost), "serving", lost);
  }

  /** After the cables are whole again. Resolves when `lost` follows in both homes. */
  async rejoin(lost: RegionName): Promise<void> {
    await this.#operator.reaches(lost, "detached", lost);
    await this.#follow(lost, lost);
    await this.#operator.reaches(lost, "following", other(lost));
  }

  /** The home goes back to its region. Resolves when the other one follows in it. */
  async handBack(home: RegionName): Promise<void> {
    await this.#operator.mustRun(other(home), "demote", "--home", home);
    await this.#operator.reaches(home, "serving", home);
    await this.#operator.reaches(other(home), "detached", home);
    await this.#follow(other(home), home);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()];
    await Promise.all(agents.map((agent) => agent.stop("SIGTERM", STOP_MS)));
    await Promise.all([...this.#services.values()].map((cluster) => cluster.stop()));
    await Promise.all([...this.#postgres.values()].map((server) => server.stop()));
    await Promise.all([...this.#nats.values()].map((server) => server.stop()));
  }

  async #start(): Promise<void> {
    const places = ["east", "west", "witness"] as const;
    await Promise.all([
      ...places.map(async (name) => {
        this.#nats.set(name, await startRegionNats(this.#options, name, { both: true }));
      }),
      ...REGIONS.map(async (region) => {
        this.#postgres.set(region, await this.#startPostgres(region));
      }),
    ]);
    const witness = this.nats("witness").url;
    for (const region of REGIONS) {
      const env = { HOMES: "1", PEER_DATABASE_URL: this.databaseUrl(other(region)) };
      const servers = { ...this.#servers(region), witness, env };
      this.#agents.set(region, await startRegionAgent(this.#options, region, servers));
      const cluster = await startRegionServices(this.#options, region, this.#servers(region));
      this.#services.set(region, cluster);
    }
    for (const home of REGIONS) {
      const isTaken = async (): Promise<boolean> =>
        (await this.#operator.run(home, "promote", "--home", home)).code === 0;
      await until(isTaken, {
        withinMs: SERVES_WITHIN_MS,
        what: `parley region promote in ${home}`,
      });
      await this.#operator.reaches(home, "serving", home);
    }
    for (const home of REGIONS) await this.#follow(other(home), home);
    if (this.#mode === "asynchronous") return;
    for (const home of REGIONS) {
      await this.#operator.mustRun(home, "mode", "synchronous", "--home", home);
      const what = `${other(home)} to follow in synchronous mode`;
      await this.#operator.has(
        other(home),
        what,
        ({ record }) => record?.mode === "synchronous" && record.follower === other(home),
        home,
      );
    }
  }

  #servers(region: RegionName): RegionServers {
    return { nats: this.nats(region).url, database: this.databaseUrl(region) };
  }

  async #startPostgres(region: RegionName): Promise<PostgresServer> {
    const { host, runner } = this.#options.network.place(region);
    return launchPostgres({
      dir: join(this.#options.dir, `postgres-${region}`),
      port: await freePort(),
      host,
      runner,
      trusts: REGION_NETWORK,
      embedded: true,
      detached: true,
    });
  }

  async #follow(region: RegionName, home: RegionName): Promise<void> {
    const file = join(this.#options.dir, `saved-${++this.#rejoins}.jsonl`);
    await this.#operator.mustRun(region, "rejoin", "--home", home, "--save", file);
    await this.#operator.reaches(region, "following", home);
  }
}
