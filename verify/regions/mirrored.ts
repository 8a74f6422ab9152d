// Mirrored: two regions with a NATS cluster each, mirrors of the logs in the region that follows,
// and a witness that holds the term. Region agents detect a loss and promote by themselves.
//
// Owns: the servers and services of both regions, the steps of an operator at the start and at a
// rejoin. Does not own: the programs of a region (region-programs.ts), the mechanism
// (services/region).

import { join } from "node:path";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { RegionMode } from "#shared/protocol/regions.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import type { Supervised } from "#infra/embedded/supervised.ts";
import { other, PostgresPair } from "./postgres-pair.ts";
import { REGIONS } from "./region-network.ts";
import type { PlaceName, RegionName } from "./region-network.ts";
import type { PairOptions, PromotionByHand, RegionPair } from "./region-pair.ts";
import {
  LEASE_MS,
  RegionOperator,
  SERVES_WITHIN_MS,
  startRegionAgent,
  startRegionNats,
  startRegionServices,
} from "./region-programs.ts";
import type { RegionServers } from "./region-programs.ts";

const STOP_MS = 20_000;

export class Mirrored implements RegionPair {
  readonly partitions: number;
  readonly servesBoth = false;
  readonly mayLose: boolean;
  readonly byHand: PromotionByHand = {
    leaseMs: LEASE_MS,
    command: async (region) => {
      const { code, text } = await this.#operator.run(region, "promote");
      return code === 0 ? undefined : text.trim();
    },
    request: async (region) => {
      await using agent = await this.#operator.agent(region);
      const answer = await agent.ask({ verb: "promote" });
      if (answer === undefined) return "no answer";
      return "error" in answer ? `${answer.error}: ${answer.message}` : undefined;
    },
  };
  readonly #options: PairOptions;
  readonly #mode: RegionMode;
  readonly #nats = new Map<PlaceName, NatsServer>();
  readonly #operator = new RegionOperator((region) => this.nats(region).url);
  readonly #services = new Map<RegionName, Cluster>();
  readonly #agents = new Map<RegionName, Supervised>();
  #postgres: PostgresPair | undefined;
  #rejoins = 0;

  static async open(mode: RegionMode, options: PairOptions): Promise<Mirrored> {
    const pair = new Mirrored(mode, options);
    try {
      await pair.#start();
      return pair;
    } catch (error: unknown) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(mode: RegionMode, options: PairOptions) {
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
    return this.#pair.url(region);
  }

  /** The agent of the other region takes over by itself. */
  failOver(lost: RegionName): Promise<void> {
    return this.#operator.reaches(other(lost), "serving");
  }

  async rejoin(lost: RegionName): Promise<void> {
    const { say } = this.#options;
    const began = performance.now();
    const took = (what: string): void => {
      say(`${lost} ${what} ${((performance.now() - began) / 1_000).toFixed(1)} s after the heal`);
    };
    await this.#operator.reaches(lost, "detached");
    took("is detached");
    await this.#pair.follow(lost, took);
    took("has a standby");
    await this.#follow(lost, () => took("has new mirrors"));
    took("follows");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const agents = [...this.#agents.values()];
    await Promise.all(agents.map((agent) => agent.stop("SIGTERM", STOP_MS)));
    await Promise.all([...this.#services.values()].map((cluster) => cluster.stop()));
    await this.#postgres?.stop();
    await Promise.all([...this.#nats.values()].map((server) => server.stop()));
  }

  #servers(region: RegionName): RegionServers {
    return { nats: this.nats(region).url, database: this.databaseUrl(region) };
  }

  async #startServices(region: RegionName): Promise<void> {
    const servers = this.#servers(region);
    this.#services.set(region, await startRegionServices(this.#options, region, servers));
  }

  get #pair(): PostgresPair {
    if (this.#postgres === undefined) throw new Error("PostgreSQL was not started");
    return this.#postgres;
  }

  async #start(): Promise<void> {
    const { network, dir, first } = this.#options;
    const places = { east: network.place("east"), west: network.place("west") };
    const starting = (["east", "west", "witness"] as const).map(async (name) => {
      this.#nats.set(name, await startRegionNats(this.#options, name, { both: false }));
    });
    const [postgres] = await Promise.all([PostgresPair.open(dir, places, first), ...starting]);
    this.#postgres = postgres;
    for (const region of REGIONS) {
      const witness = this.nats("witness").url;
      const servers = { ...this.#servers(region), witness };
      this.#agents.set(region, await startRegionAgent(this.#options, region, servers));
    }
    await this.#startServices(first);
    await until(async () => (await this.#operator.run(first, "promote")).code === 0, {
      withinMs: SERVES_WITHIN_MS,
      what: `parley region promote in ${first}`,
    });
    await this.#operator.reaches(first, "serving");
    await this.#startServices(other(first));
    await this.#follow(other(first));
    if (this.#mode === "asynchronous") return;
    await this.#operator.mustRun(first, "mode", "synchronous");
    // The other agent may still show the record of before: it reads it twice in a second.
    await this.#operator.has(
      first,
      `${other(first)} to follow in synchronous mode`,
      ({ record }) => {
        return record?.mode === "synchronous" && record.follower === other(first);
      },
    );
  }

  async #follow(region: RegionName, onMirrors?: () => void): Promise<void> {
    const file = join(this.#options.dir, `saved-${++this.#rejoins}.jsonl`);
    await this.#operator.mustRun(region, "rejoin", "--save", file);
    onMirrors?.();
    await this.#operator.reaches(region, "following");
  }
}
