// Cluster: all of Parley on one machine, as real processes.
//
// `make start` uses it, and so do end-to-end tests, chaos, benches and load runs, so that all of
// them test the processes that run in production. Owns: the set of processes, their order of start
// and stop, DATA/cluster.json. Does not own: how a process is launched (launches.ts) and restarted
// (supervised.ts), its output (log-lines.ts), the leftovers of a killed run (leftovers.ts).
//
//   embedded/cluster.1. `startCluster` resolves when every service reported that it is ready. If
//        one fails, it rejects with one line after it has stopped everything that it started.
//   embedded/cluster.2. Stop order: gateways, rooms, webhooks, persistence, PostgreSQL, NATS; each
//        has a deadline.
//   embedded/cluster.3. Two runs never use the same DATA at once. Leftovers of a killed run are
//        ended first.
//   embedded/cluster.4. A process that is started again keeps its name, its port and its data.
//   embedded/cluster.5. DATA/cluster.json exists from ready to stop, and names the processes that
//        run now.
//   embedded/cluster.6. Data keep the number of partitions of their creation when the options name
//        none. More than the rights of the NATS users cover must be named.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { checkServer, provision } from "#shared/adapters/nats-provision.ts";
import { PERMITTED_PARTITIONS } from "#shared/protocol/partition-map.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import { DEFAULTS, NEW_PARTITIONS } from "./cluster-options.ts";
import { Launches, NATS_DIRS, serviceName } from "./launches.ts";
import type { Launch, ServiceRole } from "./launches.ts";
import { clearLeftovers, ProcessRecord, writeWhole } from "./leftovers.ts";
import { openCredentials } from "../nats/credentials.ts";
import type { Credentials } from "../nats/credentials.ts";
import { isFree } from "./ports.ts";
import { checkLogs } from "./restore-at-start.ts";
import { buildServices } from "./service-bundles.ts";
import { Supervised } from "./supervised.ts";
import type { LogReading } from "./supervised.ts";

/** The shape of DATA/cluster.json. A server that the cluster did not start has no pid. */
export interface ClusterInfo {
  /** `metrics`: the URL of a service's metrics. */
  readonly gateways: readonly { name: string; pid: number; url: string; metrics: string }[];
  readonly rooms: readonly { name: string; pid: number; metrics: string }[];
  readonly persistence: readonly { name: string; pid: number; metrics: string }[];
  /** Absent unless the cluster has some. */
  readonly webhooks?: readonly { name: string; pid: number; metrics: string }[];
  /** Absent unless the cluster has one. */
  readonly operator?: readonly { name: string; pid: number; url: string; metrics: string }[];
  readonly nats: readonly { name: string; pid?: number; url: string }[];
  /** The seed of the administrator's NATS user; absent when the cluster did not start NATS. */
  readonly natsNkeyFile?: string;
  readonly postgres: { readonly pid?: number; readonly url: string };
}

/** The message states the problem and the remedy, for a terminal. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
}

/** Longer than the stop deadline of any service (E10), so that each exits by itself. */
const SERVICE_STOP_MS = 40_000;
const SERVER_STOP_MS = 15_000;

type Role = ServiceRole | "nats" | "postgres";
const STOP_ORDER: readonly Role[] = [
  "operator",
  "gateway",
  "room",
  "webhooks",
  "persistence",
  "postgres",
  "nats",
];

interface Member {
  readonly role: Role;
  readonly supervised: Supervised;
}

/** Resolves with a cluster that serves. Rejects with ClusterError only. */
export async function startCluster(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = new Cluster({ ...DEFAULTS, ...options });
  try {
    await cluster.start();
    return cluster;
  } catch (error: unknown) {
    await cluster.stop(); // embedded/cluster.1
    if (error instanceof ClusterError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ClusterError(reason, { cause: error });
  }
}

export class Cluster implements AsyncDisposable {
  readonly dataDir: string;
  readonly #options: ClusterOptions;
  readonly #members: Member[] = [];
  readonly #extraEnv = new Map<string, NodeJS.ProcessEnv>();
  #record: ProcessRecord | undefined;
  #credentials: Credentials | undefined;
  #ready = false;
  #natsUrl: string;
  #databaseUrl: string;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.dataDir = options.dataDir;
    this.#natsUrl = options.natsUrl ?? "";
    this.#databaseUrl = options.databaseUrl ?? "";
  }

  /** The URL of the first gateway; "" while it is down. */
  get url(): string {
    return this.info().gateways[0]?.url ?? "";
  }

  /** The URLs of all servers, separated by commas. */
  get natsUrl(): string {
    return this.#natsUrl;
  }

  /**
   * Access as the administrator; for a NATS that runs already, as the user that the environment
   * names.
   */
  get natsAccess(): NatsAccess {
    const nkeyFile = this.#credentials?.files.admin ?? process.env["NATS_NKEY_FILE"];
    return { url: this.#natsUrl, nkeyFile };
  }

  get databaseUrl(): string {
    return this.#databaseUrl;
  }

  /** The names of all processes, including those that are down. */
  get names(): readonly string[] {
    return this.#members.map((member) => member.supervised.name);
  }

  /** The processes that run at this moment. */
  info(): ClusterInfo {
    const of = (role: Role): { name: string; pid: number; url: string; metrics: string }[] =>
      this.#members.flatMap(({ role: its, supervised: { name, running } }) =>
        its === role && running !== undefined
          ? [{ name, pid: running.pid, url: running.url ?? "", metrics: running.metrics ?? "" }]
          : [],
      );
    const [postgres] = of("postgres");
    const webhooks = of("webhooks").map(({ name, pid, metrics }) => ({ name, pid, metrics }));
    return {
      gateways: of("gateway"),
      rooms: of("room").map(({ name, pid, metrics }) => ({ name, pid, metrics })),
      persistence: of("persistence").map(({ name, pid, metrics }) => ({ name, pid, metrics })),
      ...(this.#options.webhooks > 0 && { webhooks }),
      ...(this.#options.operator > 0 && { operator: of("operator") }),
      nats:
        this.#options.natsUrl === undefined
          ? of("nats").map(({ name, pid, url }) => ({ name, pid, url }))
          : [{ name: "nats-1", url: this.#options.natsUrl }],
      ...(this.#credentials !== undefined && { natsNkeyFile: this.#credentials.files.admin }),
      postgres: { ...(postgres && { pid: postgres.pid }), url: this.#databaseUrl },
    };
  }

  /** The pid of a process by its name ("room-1"); undefined while it is down. */
  pid(name: string): number | undefined {
    return this.#find(name).running?.pid;
  }

  /** The process id on the wire of a running service. */
  idOf(name: string): string | undefined {
    return this.#find(name).running?.id;
  }

  /**
   * Sends SIGKILL; resolves when the process has exited. It is started again unless restarts are
   * off.
   */
  async kill(name: string): Promise<void> {
    const running = this.#find(name).running;
    running?.signal("SIGKILL");
    await running?.ended;
  }

  /**
   * Sends SIGTERM, for an orderly stop; resolves when the process has exited. It is started again
   * likewise.
   */
  async terminate(name: string): Promise<void> {
    const running = this.#find(name).running;
    running?.signal("SIGTERM");
    await running?.ended;
  }

  /** Sets additional variables for a service from its next start on. */
  setEnv(name: string, env: NodeJS.ProcessEnv): void {
    this.#extraEnv.set(name, env);
  }

  /** Sends SIGSTOP: the process exists and does not run, until `resume` sends SIGCONT. */
  pause(name: string): void {
    this.#find(name).running?.signal("SIGSTOP");
  }

  resume(name: string): void {
    this.#find(name).running?.signal("SIGCONT");
  }

  /** The reader of a service's log lines; undefined while the service is down. */
  logsOf(name: string): LogReading | undefined {
    return this.#find(name).running?.logs;
  }

  /** Sends SIGKILL to every process at once; none is started again, and the data stay. */
  async killAll(): Promise<void> {
    this.#ready = false;
    await Promise.all(
      this.#members.map(({ supervised }) => supervised.stop("SIGKILL", SERVER_STOP_MS)),
    );
  }

  /** Stops everything in order (embedded/cluster.2). Idempotent, never rejects. */
  async stop(): Promise<void> {
    this.#ready = false;
    for (const role of STOP_ORDER) {
      // On SIGTERM PostgreSQL would wait for its clients.
      const signal = role === "postgres" ? "SIGINT" : "SIGTERM";
      const deadlineMs = role === "postgres" || role === "nats" ? SERVER_STOP_MS : SERVICE_STOP_MS;
      const members = this.#members.filter((member) => member.role === role);
      await Promise.all(members.map((member) => member.supervised.stop(signal, deadlineMs)));
    }
    if (this.#record === undefined) return; // It never began; the files belong to another run.
    rmSync(this.#infoPath, { force: true });
    this.#record.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Called once, by startCluster. */
  async start(): Promise<void> {
    await this.#clear();
    refuseOtherServers(this.#options);
    await refuseTakenPorts(this.#options);
    const record = new ProcessRecord(this.dataDir);
    this.#record = record;
    if (this.#options.natsUrl === undefined) this.#credentials = openCredentials(this.dataDir);
    const launches = (options: ClusterOptions): Launches =>
      new Launches({ options, record, extraEnv: this.#extraEnv, credentials: this.#credentials });
    const servers = launches(this.#options);
    const { bundled, say } = this.#options;
    await Promise.all([
      this.#startNats(servers),
      this.#startPostgres(servers),
      bundled && buildServices(say),
    ]);
    const partitions = await this.#partitions();
    await this.#provision(partitions);
    await this.#startServices(launches({ ...this.#options, partitions }));
    this.#ready = true;
    this.#writeInfo();
  }

  async #clear(): Promise<void> {
    const cleared = await clearLeftovers(this.dataDir); // embedded/cluster.3
    if (cleared.kind === "in-use") {
      throw new ClusterError(
        `a cluster already runs on ${this.dataDir} (pid ${cleared.supervisor}); ` +
          "stop it, or choose another folder for this one with DATA=…",
      );
    }
    for (const name of cleared.ended) this.#options.say(`ended ${name}, left by a killed run`);
    rmSync(this.#infoPath, { force: true });
  }

  async #startNats(launches: Launches): Promise<void> {
    if (this.#options.natsUrl !== undefined) return;
    const servers = (await launches.nats()).map(({ name, launch }) =>
      this.#add("nats", name, launch),
    );
    // All at once: a server of a cluster has no leader before it reaches another one.
    await Promise.all(servers.map((server) => server.start()));
    this.#natsUrl = servers.map((server) => server.running?.url ?? "").join(",");
  }

  async #startPostgres(launches: Launches): Promise<void> {
    if (this.#options.databaseUrl !== undefined) return;
    const postgres = this.#add("postgres", "postgres", await launches.postgres("postgres"));
    await postgres.start();
    this.#databaseUrl = postgres.running?.url ?? "";
  }

  /** The number of partitions at the creation: of these data, or of new ones. */
  async #partitions(): Promise<number> {
    const { partitions, logBytesMax, nats: replicas, restore, say } = this.#options;
    const kept = await checkLogs({
      nats: this.natsAccess,
      database: this.#databaseUrl,
      partitions: partitions ?? NEW_PARTITIONS,
      replicas,
      logBytesMax,
      restore,
      say,
    });
    if (partitions !== undefined) return partitions; // `provision` refuses another than `kept`.
    // embedded/cluster.6
    if (kept <= PERMITTED_PARTITIONS || this.#credentials === undefined) return kept;
    throw new ClusterError(
      `this cluster was created with ${kept} partitions; name them: PARTITIONS=${kept} make start`,
    );
  }

  async #provision(partitions: number): Promise<void> {
    const { logBytesMax, nats: replicas } = this.#options;
    const connection = await connectNats({
      ...this.natsAccess,
      name: "cluster",
      inboxPrefix: "_INBOX_admin",
    });
    try {
      const check = checkServer(connection);
      if (check.kind === "refused") throw new ClusterError(check.reason);
      await provision(connection, { partitions, logBytesMax, replicas });
    } finally {
      await connection.close();
    }
  }

  async #startServices(launches: Launches): Promise<void> {
    const { gateways, rooms, persistence, webhooks, operator, route } = this.#options;
    const nats = (role: ServiceRole, index: number): Promise<string> =>
      route(serviceName(role, index), "nats", this.#natsUrl);
    const planned: Supervised[] = [];
    const plan = (role: ServiceRole, index: number, launch: Launch): void =>
      void planned.push(this.#add(role, serviceName(role, index), launch));
    for (let i = 0; i < persistence; i++) {
      const name = serviceName("persistence", i);
      const database = await route(name, "postgres", this.#databaseUrl);
      plan("persistence", i, launches.persistence(i, await nats("persistence", i), database));
    }
    for (let i = 0; i < webhooks; i++) {
      const database = await route(serviceName("webhooks", i), "postgres", this.#databaseUrl);
      plan("webhooks", i, launches.webhooks(i, await nats("webhooks", i), database));
    }
    for (let i = 0; i < rooms; i++) plan("room", i, launches.room(i, await nats("room", i)));
    for (let i = 0; i < gateways; i++) {
      plan("gateway", i, await launches.gateway(i, await nats("gateway", i)));
    }
    for (let i = 0; i < operator; i++) {
      plan("operator", i, await launches.operator(i, await nats("operator", i)));
    }
    // All at once: each process waits for the others by itself.
    await Promise.all(planned.map((supervised) => supervised.start()));
  }

  #add(role: Role, name: string, launch: Launch): Supervised {
    const { restart, say } = this.#options;
    const onChange = (): void => {
      if (this.#ready) this.#writeInfo();
    };
    const supervised = new Supervised({ name, launch, restart, say, onChange });
    this.#members.push({ role, supervised });
    return supervised;
  }

  #find(name: string): Supervised {
    const found = this.#members.find((member) => member.supervised.name === name);
    if (found === undefined) throw new Error(`the cluster has no process named ${name}`);
    return found.supervised;
  }

  get #infoPath(): string {
    return join(this.dataDir, "cluster.json");
  }

  #writeInfo(): void {
    writeWhole(this.#infoPath, this.info()); // embedded/cluster.5
  }
}

/** The streams of one server cannot become replicas in place, nor the reverse; see decision 006. */
function refuseOtherServers({ dataDir, nats, natsUrl }: ClusterOptions): void {
  if (natsUrl !== undefined) return;
  const [held, other] =
    nats === 1 ? ([3, NATS_DIRS[3][0]] as const) : ([1, NATS_DIRS[1][0]] as const);
  if (!existsSync(join(dataDir, other, "jetstream"))) return;
  throw new ClusterError(
    `${dataDir} holds the log of NATS=${held}, which NATS=${nats} cannot take over; ` +
      `start it with NATS=${held}, or give this one a folder of its own with DATA=…`,
  );
}

async function refuseTakenPorts({ port: first, gateways }: ClusterOptions): Promise<void> {
  if (first === 0) return;
  for (let port = first; port < first + gateways; port++) {
    if (await isFree(port)) continue;
    throw new ClusterError(`port ${port} is taken; choose another: PORT=${first + 10} make start`);
  }
}
