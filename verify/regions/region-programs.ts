// RegionPrograms: the programs of one region of the drill (NATS, services, region agent), and what
// an operator does there.
//
// Owns: their settings. Does not own: which regions there are, and their order of start
// (mirrored.ts, both-serve.ts).

import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import { decodeRegionAnswer, encodeRegionRequest } from "#shared/protocol/regions.ts";
import type { AgentState, RegionAnswer, RegionStatus } from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { buildServices } from "#infra/embedded/service-bundles.ts";
import { launchService, REPOSITORY } from "#infra/embedded/service-process.ts";
import { Supervised } from "#infra/embedded/supervised.ts";
import { linkPermissions } from "#infra/nats/link.ts";
import { other } from "./postgres-pair.ts";
import { REGIONS } from "./region-network.ts";
import type { PlaceName, RegionName } from "./region-network.ts";
import type { PairOptions } from "./region-pair.ts";

const LEAF_PORT = 7_422;
export const LEASE_MS = 5_000;
export const SERVES_WITHIN_MS = 120_000;
const CLI_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const ASK_TIMEOUT_MS = 2_000;
/**
 * Ends a leaf connection that a cut froze. By default NATS needs four minutes for that, and TCP
 * repeats a packet ever more rarely: after a cut of 20 s the next repeat was due in 12 s.
 */
const PINGS = 'ping_interval: "5s"\nping_max: 2\n';
/** The region whose NATS accepts the leaf connection of the other one. */
const HUB: RegionName = "east";

export type ProgramOptions = Omit<PairOptions, "first">;

export interface AgentOfRegion {
  /** Undefined when the agent does not answer in time. */
  ask(request: {
    readonly verb: "status" | "promote";
    readonly home?: RegionName;
  }): Promise<RegionAnswer | undefined>;
}

export interface CliResult {
  readonly code: number;
  readonly text: string;
}

/** `both`: both regions serve. */
export async function startRegionNats(
  { network, dir }: ProgramOptions,
  place: PlaceName,
  { both }: { readonly both: boolean },
): Promise<NatsServer> {
  const { host, runner } = network.place(place);
  const region = REGIONS.find((name) => name === place);
  const leaf = region && leafText(network.place(HUB).host, region, both);
  return launchNats({
    dir: join(dir, `nats-${place}`),
    host,
    runner,
    detached: true,
    ...(region !== undefined && leaf !== undefined && { domain: region, authorization: leaf }),
  });
}

function leafText(host: string, region: RegionName, both: boolean): string {
  if (region !== HUB) {
    const url = `nats-leaf://link:link@${host}:${LEAF_PORT}`;
    return `${PINGS}leafnodes { reconnect: 1, remotes: [{ url: "${url}" }] }\n`;
  }
  const { publish, subscribe } = linkPermissions(HUB, other(HUB), { both });
  return `${PINGS}leafnodes { listen: "${host}:${LEAF_PORT}" }
authorization { users: [
  { user: "all", password: "all" }
  { user: "link", password: "link", permissions: ${JSON.stringify({ publish, subscribe })} }
] }
no_auth_user: "all"
`;
}

export interface RegionServers {
  readonly nats: string;
  readonly database: string;
}

export function startRegionServices(
  { network, dir, partitions, say }: ProgramOptions,
  region: RegionName,
  { nats, database }: RegionServers,
): Promise<Cluster> {
  const { host, runner } = network.place(region);
  return startCluster({
    dataDir: join(dir, region),
    port: 0,
    host,
    runner,
    nats: 1,
    natsUrl: nats,
    databaseUrl: database,
    partitions,
    limits: "off",
    env: {
      REGION: region,
      DEV_SECRET_FILE: join(dir, "dev-secret"),
      LOG_KEEP_ENTRIES: "2000", // A rejoin copies what the logs hold.
      LOG_KEEP_SHARE: "0",
    },
    say: (line) => say(`${region} ${line}`),
  });
}

export async function startRegionAgent(
  { network, dir, partitions, say }: ProgramOptions,
  region: RegionName,
  {
    nats,
    database,
    witness,
    env,
  }: RegionServers & { readonly witness: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Supervised> {
  const { host, runner } = network.place(region);
  await buildServices(say);
  const folder = join(dir, `${region}-agent`);
  mkdirSync(folder, { recursive: true });
  const options = {
    name: `region-${region}`,
    folder: REPOSITORY,
    entry: "services/region/dist/main.js",
    runner,
    env: {
      ...process.env,
      REGION: region,
      PEER_REGION: other(region),
      WITNESS_URL: witness,
      NATS_URL: nats,
      DATABASE_URL: database,
      PARTITIONS: String(partitions),
      METRICS_HOST: host,
      AUTO_PROMOTE: "1",
      LEASE_MS: String(LEASE_MS),
      ...env,
    },
    heapMib: DEFAULTS.heapMib,
    logPath: join(folder, "agent.log"),
    say,
    onSpawn: () => undefined,
  };
  const agent = new Supervised({
    name: options.name,
    launch: (abort) => launchService(options, abort),
    restart: true,
    say,
    onChange: () => undefined,
  });
  await agent.start();
  return agent;
}

/** What an operator does in a region, of one home where both serve. */
export class RegionOperator {
  readonly #natsUrl: (region: RegionName) => string;

  constructor(natsUrl: (region: RegionName) => string) {
    this.#natsUrl = natsUrl;
  }

  /** Resolves when the agent of the region is in this state. */
  reaches(region: RegionName, wanted: AgentState, home?: RegionName): Promise<void> {
    const what = `${region} to be ${wanted}${home === undefined ? "" : ` of home ${home}`}`;
    return this.has(region, what, ({ state }) => state === wanted, home);
  }

  /** Resolves when the status of the agent fulfils the condition. */
  async has(
    region: RegionName,
    what: string,
    isWanted: (status: RegionStatus) => boolean,
    home?: RegionName,
  ): Promise<void> {
    await using agent = await this.agent(region);
    const isReached = async (): Promise<boolean> => {
      await sleep(POLL_MS);
      const answer = await agent.ask({ verb: "status", ...(home && { home }) });
      return answer !== undefined && "ok" in answer && isWanted(answer.ok);
    };
    await until(isReached, { withinMs: SERVES_WITHIN_MS, what });
  }

  async agent(region: RegionName): Promise<AsyncDisposable & AgentOfRegion> {
    const url = this.#natsUrl(region);
    const connection = await connectNats({ url, name: "drill", inboxPrefix: "_INBOX_ctl" });
    const ask: AgentOfRegion["ask"] = async (request) => {
      const text = encodeRegionRequest({ by: "the region drill", ...request });
      const answer = await connection
        .request(subjects.regionControl, text, { timeout: ASK_TIMEOUT_MS })
        .catch(() => undefined);
      return answer === undefined ? undefined : decodeRegionAnswer(answer.string());
    };
    return { ask, [Symbol.asyncDispose]: () => connection.close() };
  }

  async mustRun(region: RegionName, ...words: string[]): Promise<void> {
    const { code, text } = await this.run(region, ...words);
    if (code !== 0) throw new Error(`parley region ${words.join(" ")} in ${region}: ${text}`);
  }

  /** `parley region …` as an operator in that region runs it. */
  async run(region: RegionName, ...words: string[]): Promise<CliResult> {
    const where = ["client/cli/parley.ts", "--nats", this.#natsUrl(region), "region", ...words];
    try {
      const { stdout } = await promisify(execFile)(process.execPath, where, {
        cwd: REPOSITORY,
        timeout: CLI_TIMEOUT_MS,
      });
      return { code: 0, text: stdout };
    } catch (error: unknown) {
      const {
        code,
        stdout = "",
        stderr = "",
      } = error as {
        code?: number;
        stdout?: string;
        stderr?: string;
      };
      return { code: typeof code === "number" ? code : 1, text: `${stdout}${stderr}` };
    }
  }
}
