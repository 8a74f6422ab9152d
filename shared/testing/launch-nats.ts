// Launches a real nats-server: with JetStream, `sync_interval: always`, on loopback, in a folder.
//
// Tests, tools and benches use it. Without a folder it creates one and removes it on `stop`.
//
//   launch-nats.1. It returns a healthy server, or throws and leaves no process behind.
//   launch-nats.2. `restart` keeps the port and the folder; `stop` leaves nothing but a folder that
//        was given, also when the server is paused.
//   launch-nats.3. A member of a cluster is ready when it accepts connections. Members that waited
//        for the health of each other would never start, since one member alone cannot have a
//        leader.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { freePort } from "./ports.ts";
import { until } from "./wait.ts";

export interface NatsServerOptions {
  /** Kept on `stop`. */
  readonly dir?: string;
  readonly port?: number;
  /** The program; searched when left out. */
  readonly binary?: string;
  /** In a process group of its own: Ctrl-C at a terminal then reaches only the launcher. */
  readonly detached?: boolean;
  /** Called at every start as soon as the process exists, long before it serves. */
  readonly onSpawn?: (pid: number) => void;
  /** One server of a cluster; a single server when left out. */
  readonly member?: ClusterMember;
  /**
   * `authorization { … }`, `tls { … }` or `leafnodes { … }`; without the first every local process
   * may do everything.
   */
  readonly authorization?: string;
  /** The JetStream domain: the name of the region, when leaf connections join two of them. */
  readonly domain?: string;
  /** The address of all its ports; 127.0.0.1 when left out. */
  readonly host?: string;
  /** Words before the server's command: `ip netns exec …`. The runner must exec the server. */
  readonly runner?: readonly string[];
}

/** The same at every start: replicas identify each other by their names. */
export interface ClusterMember {
  readonly name: string;
  readonly routePort: number;
  /** The route ports of all members, or `host:port` of each. */
  readonly routes: readonly (number | string)[];
  /** The password by which members authenticate to each other. */
  readonly routeSecret?: string;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  /** For `checkSync`, /healthz, /varz. */
  readonly monitorUrl: string;
  readonly pid: number;
  readonly port: number;
  readonly dir: string;
  stop(): Promise<void>;
  /** Sends SIGKILL. */
  kill(): void;
  signal(name: NodeJS.Signals): void;
  /** Sends SIGSTOP, and resolves when no thread of the server runs any more. */
  pause(): Promise<void>;
  /** Resolves with the result of the running process: "code 1", "signal SIGKILL". */
  exited(): Promise<string>;
  /** Stops the server if it runs, and starts it on the same port and folder. */
  restart(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";
const READY_WITHIN_MS = 15_000;
const START_TRIES_MAX = 5;
const HEALTH_TIMEOUT_MS = 1_000;

export async function launchNats(options: NatsServerOptions = {}): Promise<NatsServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "parley-nats-"));
  mkdirSync(dir, { recursive: true });
  const server = new LaunchedNats(dir, options);
  for (let tries = 1; ; tries++) {
    try {
      await server.start(options.port ?? (await freePort()), await freePort());
      return server;
    } catch (error: unknown) {
      // A port that was free a moment ago may be taken. A port that was given stays taken.
      if (options.port !== undefined || tries === START_TRIES_MAX) throw error;
    }
  }
}

class LaunchedNats implements NatsServer {
  readonly dir: string;
  readonly #options: NatsServerOptions;
  #ports = { client: 0, monitor: 0 };
  #child: Child | undefined;

  constructor(dir: string, options: NatsServerOptions) {
    this.dir = dir;
    this.#options = options;
  }

  get #host(): string {
    return this.#options.host ?? LOOPBACK;
  }
  get port(): number {
    return this.#ports.client;
  }
  get url(): string {
    return `nats://${this.#host}:${this.#ports.client}`;
  }
  get monitorUrl(): string {
    return `http://${this.#host}:${this.#ports.monitor}`;
  }
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(client: number, monitor: number): Promise<void> {
    this.#ports = { client, monitor };
    const config = join(this.dir, "nats.conf");
    const { authorization = "" } = this.#options;
    const text = configText(this.dir, this.#host, this.#ports, this.#options) + authorization;
    writeFileSync(config, text);
    chmodSync(config, 0o600); // It may hold the secret of the routes.
    const binary = this.#options.binary ?? findNatsServer();
    const [command, ...args] = [...(this.#options.runner ?? []), binary, "--config", config];
    const child = await startChild(command ?? binary, args, {
      logFile: join(this.dir, "nats.log"),
      detached: this.#options.detached ?? false,
    });
    this.#child = child;
    this.#options.onSpawn?.(child.pid);
    try {
      await until(async () => child.exit !== undefined || (await this.#isHealthy()), {
        withinMs: READY_WITHIN_MS,
        what: "nats-server to be healthy",
      });
    } catch (error: unknown) {
      await this.#end("SIGKILL"); // launch-nats.1: no other code holds this process yet.
      throw error;
    }
    if (child.exit !== undefined) throw new Error(`nats-server ended at once:\n${child.tail()}`);
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    if (this.#options.dir === undefined) rmSync(this.dir, { recursive: true, force: true });
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.signal(name);
  }

  async pause(): Promise<void> {
    this.signal("SIGSTOP");
    // Each thread stops when it notices the signal.
    const isStopped = (task: string): boolean =>
      / T /.test(readFileSync(`/proc/${this.pid}/task/${task}/stat`, "utf8").replace(/.*\)/, ""));
    await until(() => readdirSync(`/proc/${this.pid}/task`).every(isStopped), {
      withinMs: READY_WITHIN_MS,
      what: "nats-server to be paused",
    });
  }

  exited(): Promise<string> {
    return this.#child?.exited() ?? Promise.resolve("never started");
  }

  async restart(): Promise<void> {
    await this.#end("SIGTERM");
    await this.start(this.#ports.client, this.#ports.monitor);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.#child?.end(signal);
  }

  async #isHealthy(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
      // launch-nats.3.
      const depth = this.#options.member === undefined ? "" : "?js-enabled-only=true";
      return (await fetch(`${this.monitorUrl}/healthz${depth}`, { signal })).ok;
    } catch {
      return false; // It does not listen yet; the caller polls.
    }
  }
}

function configText(
  dir: string,
  host: string,
  ports: { client: number; monitor: number },
  { member, domain }: Pick<NatsServerOptions, "member" | "domain">,
): string {
  return `# launch-nats writes this file at every start.
server_name: ${JSON.stringify(member?.name ?? `parley-${ports.client}`)}
host: "${host}"
port: ${ports.client}
http: "${host}:${ports.monitor}"
max_payload: 1MB
jetstream {
  store_dir: ${JSON.stringify(join(dir, "jetstream"))}
  # An append is confirmed only after it is on the disk (D7).
  sync_interval: always
  # Streams reserve their max_bytes; the disk itself is the bound here.
  max_file_store: 1TB
${domain === undefined ? "" : `  domain: ${JSON.stringify(domain)}\n`}}
${member === undefined ? "" : clusterText(host, member)}`;
}

function clusterText(host: string, { routePort, routes, routeSecret }: ClusterMember): string {
  const user = routeSecret === undefined ? "" : `route:${routeSecret}@`;
  const authorization =
    routeSecret === undefined
      ? ""
      : `authorization { user: "route", password: "${routeSecret}", timeout: 2 }\n  `;
  return `cluster {
  ${authorization}name: "parley"
  listen: "${host}:${routePort}"
  routes: [${routes.map((route) => `"nats-route://${user}${addressOf(route)}"`).join(", ")}]
  # A write to a stalled server blocks the writer, elections included, for 10 s by default. After
  # this deadline the server closes that route; the stalled server connects again by itself.
  write_deadline: "1s"
  write_timeout: "close"
  ping_interval: "2s"
  ping_max: 2
}
`;
}

function addressOf(route: number | string): string {
  return typeof route === "number" ? `${LOOPBACK}:${route}` : route;
}

/** NATS_SERVER, else the one built into .tools, else the one on the PATH. */
export function findNatsServer(): string {
  const named = process.env["NATS_SERVER"];
  if (named !== undefined && named !== "") return named;
  const built = fileURLToPath(new URL("../../.tools/nats-server", import.meta.url));
  if (existsSync(built)) return built;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "nats-server");
    if (existsSync(path)) return path;
  }
  throw new Error(
    "nats-server was not found: set NATS_SERVER to its path, or build it with `make tools`",
  );
}
