// AgentFixture: two region agents on real NATS servers, with a real witness and a database for each
// region.

import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import { NatsWitness } from "#shared/adapters/witness-nats.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import { createLogger } from "#shared/process/logger.ts";
import type { AgentState, RegionAnswer, RegionRequest } from "#shared/protocol/regions.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { migrate } from "../../services/persistence/adapters/migrate.ts";
import { FollowerWatch } from "../../services/region/runtime/follower-watch.ts";
import { Follower } from "../../services/region/runtime/follower.ts";
import { Stores } from "../../services/region/runtime/promotion.ts";
import { RegionAgent } from "../../services/region/runtime/region-agent.ts";
import { TwoRegions } from "../../services/region/test/two-regions.ts";

export const PARTITIONS = 2;
const LOG_BYTES_MAX = 64 << 20;
export const LEASE_MS = 1_500;
const RENEW_MS = 300;
const WITHIN_MS = 20_000;

export type Name = "east" | "west";

export interface Side {
  readonly agent: RegionAgent;
  readonly bus: NatsBus;
  readonly log: PartitionLog;
  readonly database: string;
  readonly reports: string[];
  stop(): Promise<void>;
}

export class AgentFixture implements AsyncDisposable {
  readonly regions: TwoRegions;
  readonly witnessServer: NatsServer;
  readonly #postgres: PostgresServer;
  readonly #sides: Side[] = [];

  private constructor(regions: TwoRegions, witness: NatsServer, postgres: PostgresServer) {
    this.regions = regions;
    this.witnessServer = witness;
    this.#postgres = postgres;
  }

  /** `isNew`: the databases have no tables yet, as before persistence ran for the first time. */
  static async open({ isNew = false } = {}): Promise<AgentFixture> {
    const [regions, witness, postgres] = await Promise.all([
      TwoRegions.launch(),
      launchNats(),
      launchPostgres(),
    ]);
    const fixture = new AgentFixture(regions, witness, postgres);
    const admin = await fixture.query(postgres.url);
    for (const name of ["east", "west"] as const) {
      await admin.query(`drop database if exists region_${name}`);
      await admin.query(`create database region_${name}`);
      if (!isNew) await migrate({ url: fixture.databaseOf(name) });
    }
    await admin.end();
    const east = await regions.connect("east");
    await provision(east, { partitions: PARTITIONS, replicas: 1, logBytesMax: LOG_BYTES_MAX });
    return fixture;
  }

  databaseOf(name: Name): string {
    const url = new URL(this.#postgres.url);
    url.pathname = `/region_${name}`;
    return url.href;
  }

  async query(url: string): Promise<Client> {
    const client = new Client({ connectionString: url });
    await client.connect();
    return client;
  }

  /** An agent as services/region/main.ts wires it. */
  async start(region: Name, options: { readonly autoPromote?: boolean } = {}): Promise<Side> {
    const peer = region === "east" ? "west" : "east";
    const logger = createLogger({ name: region, level: "silent" });
    const bus = await openNatsBus({
      url: this.regions[region].url,
      name: region,
      inboxPrefix: `_INBOX_region.${region}`,
      logger,
    });
    const reports: string[] = [];
    const report = (event: string, detail: object): void => {
      reports.push(`${event} ${JSON.stringify(detail)}`);
    };
    const log = openNatsLog(bus);
    const witness = new NatsWitness({ url: this.witnessServer.url, name: region });
    const database = this.databaseOf(region);
    const stores = new Stores(
      {
        region,
        peer,
        partitions: PARTITIONS,
        replicas: 1,
        logBytesMax: LOG_BYTES_MAX,
        database,
      },
      { connection: bus.connection, witness, clock: systemClock, report },
    );
    const shared = { partitions: PARTITIONS, bus, clock: systemClock, log, report };
    const watch = new FollowerWatch({ peer, ...shared });
    const follower = new Follower({
      region,
      ...shared,
      mirrors: () => stores.mirrors(),
      trim: () => stores.trim(),
    });
    const { autoPromote = false } = options;
    const agent = new RegionAgent(
      { region, peer, leaseMs: LEASE_MS, renewMs: RENEW_MS, autoPromote },
      { bus, clock: systemClock, witness, stores, follower, watch, report },
    );
    agent.start();
    let isStopped = false;
    const side: Side = {
      agent,
      bus,
      log,
      database,
      reports,
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        agent.stop();
        await bus.close();
        await witness.close();
      },
    };
    this.#sides.push(side);
    return side;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sides.map((side) => side.stop()));
    await this.regions[Symbol.asyncDispose]();
    await this.witnessServer.stop();
    await this.#postgres.stop();
  }
}

export async function ask(
  { agent }: Side,
  request: Omit<RegionRequest, "v" | "by">,
): Promise<string> {
  const answer: RegionAnswer = await agent.handle({ v: 1, by: "test", ...request });
  return "ok" in answer ? "ok" : answer.error;
}

export async function inState({ agent, reports }: Side, ...states: AgentState[]): Promise<void> {
  try {
    await until(() => states.includes(agent.state), {
      withinMs: WITHIN_MS,
      what: `state ${states.join(" or ")}`,
    });
  } catch (error: unknown) {
    throw new Error(`the state is ${agent.state}; ${reports.join("; ")}`, { cause: error });
  }
}
