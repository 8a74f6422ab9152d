// AgentFixture: two region agents on real NATS servers, with a real witness and a database for each
// region.

import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { provision } from "#shared/adapters/nats-provision.ts";
import type { PartitionLog } from "#shared/ports/log.ts";
import { createLogger } from "#shared/process/logger.ts";
import type { AgentState, RegionAnswer, RegionRequest } from "#shared/protocol/regions.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { migrate } from "../../services/persistence/adapters/migrate.ts";
import type { HomeAgents } from "../../services/region/runtime/home-agents.ts";
import { openAgents } from "../../services/region/runtime/open-agents.ts";
import type { RegionAgent } from "../../services/region/runtime/region-agent.ts";
import { TwoRegions } from "../../services/region/test/two-regions.ts";

export const PARTITIONS = 2;
const LOG_BYTES_MAX = 64 << 20;
export const LEASE_MS = 1_500;
const RENEW_MS = 300;
const WITHIN_MS = 20_000;

export type Name = "east" | "west";

export interface Side {
  /** The one agent, or the agent of the region's own home. */
  readonly agent: RegionAgent;
  /** Of a home; without homes the one agent. */
  of(home: Name): RegionAgent;
  readonly desk: RegionAgent | HomeAgents;
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

  /**
   * `isNew`: the databases have no tables yet, as before persistence ran for the first time.
   * `both`: both regions begin with logs.
   */
  static async open({ isNew = false, both = false } = {}): Promise<AgentFixture> {
    const [regions, witness, postgres] = await Promise.all([
      TwoRegions.launch({ both }),
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
    for (const name of both ? (["east", "west"] as const) : (["east"] as const)) {
      const connection = await regions.connect(name);
      const sizes = { partitions: PARTITIONS, replicas: 1, logBytesMax: LOG_BYTES_MAX };
      await provision(connection, sizes);
    }
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
  async start(
    region: Name,
    options: { readonly autoPromote?: boolean; readonly homes?: boolean } = {},
  ): Promise<Side> {
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
    const database = this.databaseOf(region);
    const { autoPromote = false, homes = false } = options;
    const opened = openAgents(
      {
        id: region,
        region,
        peer,
        witness: { url: this.witnessServer.url },
        partitions: PARTITIONS,
        replicas: 1,
        logBytesMax: LOG_BYTES_MAX,
        database,
        peerDatabase: homes ? this.databaseOf(peer) : undefined,
        leaseMs: LEASE_MS,
        renewMs: RENEW_MS,
        autoPromote,
      },
      { bus, log, clock: systemClock, report },
    );
    opened.start();
    const of = (home: Name): RegionAgent => {
      const found = opened.agents.find((one) => one.home === undefined || one.home === home);
      if (found === undefined) throw new Error(`no agent of ${home}`);
      return found.agent;
    };
    const agent = of(region);
    let isStopped = false;
    const side: Side = {
      agent,
      of,
      desk: opened.desk,
      bus,
      log,
      database,
      reports,
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        await opened.stop();
        await bus.close();
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
  { desk }: Side,
  request: Omit<RegionRequest, "v" | "by">,
): Promise<string> {
  const answer: RegionAnswer = await desk.handle({ v: 1, by: "test", ...request });
  return "ok" in answer ? "ok" : answer.error;
}

export function inState(side: Side, ...states: AgentState[]): Promise<void> {
  return agentInState(side, side.agent, ...states);
}

/** Waits for the state of one of the agents of a side. */
export async function agentInState(
  { reports }: Side,
  agent: RegionAgent,
  ...states: AgentState[]
): Promise<void> {
  try {
    await until(() => states.includes(agent.state), {
      withinMs: WITHIN_MS,
      what: `state ${states.join(" or ")}`,
    });
  } catch (error: unknown) {
    throw new Error(`the state is ${agent.state}; ${reports.join("; ")}`, { cause: error });
  }
}
