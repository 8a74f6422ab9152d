// Mirrored: two regions with a NATS cluster each, mirrors of the logs in the region that follows,
// and a witness that holds the term. Region agents detect a loss and promote by themselves.
//
// Owns: the servers and services of both regions, the steps of an operator at the start and at a
// rejoin. Does not own: the mechanism (services/region).

import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { decodeRegionAnswer, encodeRegionRequest } from "#shared/protocol/regions.ts";
import type {
  AgentState,
  RegionAnswer,
  RegionMode,
  RegionStatus,
} from "#shared/protocol/regions.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { launchNats } from "#shared/testing/launch-nats.ts";
import type { NatsServer } from "#shared/testing/launch-nats.ts";
import { until } from "#shared/testing/wait.ts";
import { DEFAULTS } from "#infra/embedded/cluster-options.ts";
import { startCluster } from "#infra/embedded/cluster.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { launchService, REPOSITORY } from "#infra/embedded/service-process.ts";
import { Supervised } from "#infra/embedded/supervised.ts";
import { linkPermissions } from "#infra/nats/link.ts";
import { other, PostgresPair } from "./postgres-pair.ts";
import { REGIONS } from "./region-network.ts";
import type { PlaceName, RegionName } from "./region-network.ts";
import type { PairOptions, PromotionByHand, RegionPair } from "./region-pair.ts";

const LEAF_PORT = 7_422;
const LEASE_MS = 5_000;
const SERVES_WITHIN_MS = 120_000;
const STOP_MS = 20_000;
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

interface AgentOfRegion {
  /** Undefined when the agent does not answer in time. */
  ask(request: { readonly verb: "status" | "promote" }): Promise<RegionAnswer | undefined>;
}

interface CliResult {
  readonly code: number;
  readonly text: string;
}

export class Mirrored implements RegionPair {
  readonly partitions: number;
  readonly servesBoth = false;
  readonly mayLose: boolean;
  readonly byHand: PromotionByHand = {
    leaseMs: LEASE_MS,
    command: async (region) => {
      const { code, text } = await this.#run(region, "promote");
      return code === 0 ? undefined : text.trim();
    },
    request: async (region) => {
      await using agent = await this.#agent(region);
      const answer = await agent.ask({ verb: "promote" });
      if (answer === undefined) return "no answer";
      return "error" in answer ? `${answer.error}: ${answer.message}` : undefined;
    },
  };
  readonly #options: PairOptions;
  readonly #mode: RegionMode;
  readonly #nats = new Map<PlaceName, NatsServer>();
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
    return this.#reaches(other(lost), "serving");
  }

  async rejoin(lost: RegionName): Promise<void> {
    const { say } = this.#options;
    const began = performance.now();
    const took = (what: string): void => {
      say(`${lost} ${what} ${((performance.now() - began) / 1_000).toFixed(1)} s after the heal`);
    };
    await this.#reaches(lost, "detached");
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

  get #pair(): PostgresPair {
    if (this.#postgres === undefined) throw new Error("PostgreSQL was not started");
    return this.#postgres;
  }

  async #start(): Promise<void> {
    const { network, dir, first } = this.#options;
    const places = { east: network.place("east"), west: network.place("west") };
    const starting = (["east", "west", "witness"] as const).map((name) => this.#startNats(name));
    const [postgres] = await Promise.all([PostgresPair.open(dir, places, first), ...starting]);
    this.#postgres = postgres;
    for (const region of REGIONS) await this.#startAgent(region);
    await this.#startServices(first);
    await until(async () => (await this.#run(first, "promote")).code === 0, {
      withinMs: SERVES_WITHIN_MS,
      what: `parley region promote in ${first}`,
    });
    await this.#reaches(first, "serving");
    await this.#startServices(other(first));
    await this.#follow(other(first));
    if (this.#mode === "asynchronous") return;
    await this.#mustRun(first, "mode", "synchronous");
    // The other agent may still show the record of before: it reads it twice in a second.
    await this.#has(first, `${other(first)} to follow in synchronous mode`, ({ record }) => {
      return record?.mode === "synchronous" && record.follower === other(first);
    });
  }

  async #startNats(place: PlaceName): Promise<void> {
    const { network, dir } = this.#options;
    const { host, runner } = network.place(place);
    const region = REGIONS.find((name) => name === place);
    const server = await launchNats({
      dir: join(dir, `nats-${place}`),
      host,
      runner,
      detached: true,
      ...(region !== undefined && { domain: region, authorization: this.#leafText(region) }),
    });
    this.#nats.set(place, server);
  }

  #leafText(region: RegionName): string {
    const { host } = this.#options.network.place(HUB);
    if (region !== HUB) {
      const url = `nats-leaf://link:link@${host}:${LEAF_PORT}`;
      return `${PINGS}leafnodes { reconnect: 1, remotes: [{ url: "${url}" }] }\n`;
    }
    const { publish, subscribe } = linkPermissions(HUB, other(HUB));
    return `${PINGS}leafnodes { listen: "${host}:${LEAF_PORT}" }
authorization { users: [
  { user: "all", password: "all" }
  { user: "link", password: "link", permissions: ${JSON.stringify({ publish, subscribe })} }
] }
no_auth_user: "all"
`;
  }

  async #startServices(region: RegionName): Promise<void> {
    const { network, dir, partitions, say } = this.#options;
    const { host, runner } = network.place(region);
    const cluster = await startCluster({
      dataDir: join(dir, region),
      port: 0,
      host,
      runner,
      nats: 1,
      natsUrl: this.nats(region).url,
      databaseUrl: this.databaseUrl(region),
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
    this.#services.set(region, cluster);
  }

  async #startAgent(region: RegionName): Promise<void> {
    const { network, dir, partitions, say } = this.#options;
    const { host, runner } = network.place(region);
    const folder = join(dir, `${region}-agent`);
    mkdirSync(folder, { recursive: true });
    const options = {
      name: `region-${region}`,
      folder: REPOSITORY,
      entry: "services/region/main.ts",
      runner,
      env: {
        ...process.env,
        REGION: region,
        PEER_REGION: other(region),
        WITNESS_URL: this.nats("witness").url,
        NATS_URL: this.nats(region).url,
        DATABASE_URL: this.databaseUrl(region),
        PARTITIONS: String(partitions),
        METRICS_HOST: host,
        AUTO_PROMOTE: "1",
        LEASE_MS: String(LEASE_MS),
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
    this.#agents.set(region, agent);
    await agent.start();
  }

  /** Resolves when the agent of the region is in this state. */
  #reaches(region: RegionName, wanted: AgentState): Promise<void> {
    return this.#has(region, `${region} to be ${wanted}`, ({ state }) => state === wanted);
  }

  /** Resolves when the status of the agent fulfils the condition. */
  async #has(
    region: RegionName,
    what: string,
    isWanted: (status: RegionStatus) => boolean,
  ): Promise<void> {
    await using agent = await this.#agent(region);
    const isReached = async (): Promise<boolean> => {
      await sleep(POLL_MS);
      const answer = await agent.ask({ verb: "status" });
      return answer !== undefined && "ok" in answer && isWanted(answer.ok);
    };
    await until(isReached, { withinMs: SERVES_WITHIN_MS, what });
  }

  async #agent(region: RegionName): Promise<AsyncDisposable & AgentOfRegion> {
    const { url } = this.nats(region);
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

  async #follow(region: RegionName, onMirrors?: () => void): Promise<void> {
    const file = join(this.#options.dir, `saved-${++this.#rejoins}.jsonl`);
    await this.#mustRun(region, "rejoin", "--save", file);
    onMirrors?.();
    await this.#reaches(region, "following");
  }

  async #mustRun(region: RegionName, ...words: string[]): Promise<void> {
    const { code, text } = await this.#run(region, ...words);
    if (code !== 0) throw new Error(`parley region ${words.join(" ")} in ${region}: ${text}`);
  }

  /** `parley region …` as an operator in that region runs it. */
  async #run(region: RegionName, ...words: string[]): Promise<CliResult> {
    const where = ["client/cli/parley.ts", "--nats", this.nats(region).url, "region", ...words];
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
