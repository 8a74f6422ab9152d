// Launches: how each kind of process of a cluster is started, and with which settings.
//
// It only chooses settings. cluster.ts and supervised.ts decide when a launch happens, and when it
// is repeated.

import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULTS, NEW_PARTITIONS } from "./cluster-options.ts";
import type { ClusterOptions } from "./cluster-options.ts";
import type { ProcessRecord } from "./leftovers.ts";
import type { Credentials } from "../nats/credentials.ts";
import { authorizationText } from "../nats/permissions.ts";
import type { NatsUser } from "../nats/permissions.ts";
import { choosePort, freePorts } from "./ports.ts";
import { runNats, runPostgres } from "./servers.ts";
import { launchService, REPOSITORY } from "./service-process.ts";
import type { Running } from "./supervised.ts";
import { ensureNatsServer } from "#tools/programs/nats-server.ts";

export type Launch = (abort: AbortSignal) => Promise<Running>;
export type ServiceRole = "gateway" | "room" | "persistence" | "webhooks" | "operator";

/** The default port of tools. Tests (port 0) take any free port and leave this one free. */
const NATS_PORT = 4_222;
const POSTGRES_PORT = 5_432;

/** The admin page stands behind the ports of all gateways (PROCESSES_MAX). */
export const OPERATOR_PORT_OFFSET = 20;

/**
 * Folders below DATA. Their names differ, so that the data of a single server are never used as
 * those of a replica.
 */
export const NATS_DIRS = { 1: ["nats"], 3: ["nats-1", "nats-2", "nats-3"] } as const;

export interface LaunchesOptions {
  readonly options: ClusterOptions;
  readonly record: ProcessRecord;
  /** By service: additional variables from its next start on. */
  readonly extraEnv: ReadonlyMap<string, NodeJS.ProcessEnv>;
  /** Undefined for a NATS that runs already: its operator manages its users. */
  readonly credentials: Credentials | undefined;
}

export class Launches {
  readonly #options: ClusterOptions;
  readonly #record: ProcessRecord;
  readonly #extraEnv: LaunchesOptions["extraEnv"];
  readonly #credentials: Credentials | undefined;

  constructor({ options, record, extraEnv, credentials }: LaunchesOptions) {
    this.#options = options;
    this.#record = record;
    this.#extraEnv = extraEnv;
    this.#credentials = credentials;
  }

  /** Finds or builds the server; all ports are chosen now and kept for every launch. */
  async nats(): Promise<readonly { readonly name: string; readonly launch: Launch }[]> {
    const { dataDir, say, nats: count, partitions = NEW_PARTITIONS } = this.#options;
    const { publicKeys, routeSecret = "" } = this.#credentials ?? {};
    const authorization = publicKeys === undefined ? "" : authorizationText(publicKeys, partitions);
    const binary = await ensureNatsServer({ say });
    const folders = NATS_DIRS[count];
    const routes = await freePorts(folders.length);
    const servers: { name: string; launch: Launch }[] = [];
    for (const [index, folder] of folders.entries()) {
      const name = `nats-${index + 1}`;
      const dir = join(dataDir, folder);
      const port = await this.#port(NATS_PORT + index);
      const onSpawn = (pid: number): void => this.#record.add(name, pid);
      const routePort = routes[index] ?? 0;
      const member = count === 1 ? {} : { member: { name, routePort, routes, routeSecret } };
      const launch: Launch = (abort) =>
        runNats({ dir, port, binary, onSpawn, abort, authorization, ...member });
      servers.push({ name, launch });
    }
    return servers;
  }

  async postgres(name: string): Promise<Launch> {
    const dir = join(this.#options.dataDir, "postgres");
    const port = await this.#port(POSTGRES_PORT);
    const onSpawn = (pid: number): void => this.#record.add(name, pid);
    return (abort) => runPostgres({ dir, port, onSpawn, abort });
  }

  async gateway(index: number, natsUrl: string): Promise<Launch> {
    const { port: first, limits, dataDir, host } = this.#options;
    // Never port 0: clients must find a gateway at the same port after a restart.
    const port = first === 0 ? await choosePort(0) : first + index;
    return this.#service("gateway", index, {
      NATS_URL: natsUrl,
      ...this.#nkey("gateway"),
      HOST: host,
      PORT: String(port),
      LIMITS: limits,
      AUTH: process.env["AUTH"] ?? "dev",
      DEV_SECRET_FILE: join(dataDir, "dev-secret"),
      WEB_DIR: join(REPOSITORY, "client/web/dist"),
      ...this.#inviteKey(),
      ...this.#attachments(),
    });
  }

  room(index: number, natsUrl: string): Launch {
    return this.#service("room", index, { NATS_URL: natsUrl, ...this.#nkey("room") });
  }

  persistence(index: number, natsUrl: string, databaseUrl: string): Launch {
    const trimFile = this.#credentials?.files.trimmer;
    return this.#service("persistence", index, {
      NATS_URL: natsUrl,
      ...this.#nkey("persistence"),
      ...(trimFile !== undefined && { NATS_TRIM_NKEY_FILE: trimFile }),
      DATABASE_URL: databaseUrl,
      ...this.#attachments(),
    });
  }

  webhooks(index: number, natsUrl: string, databaseUrl: string): Launch {
    return this.#service("webhooks", index, {
      NATS_URL: natsUrl,
      ...this.#nkey("webhooks"),
      DATABASE_URL: databaseUrl,
    });
  }

  async operator(index: number, natsUrl: string): Promise<Launch> {
    const { port: first, dataDir, host } = this.#options;
    const port = first === 0 ? await choosePort(0) : first + OPERATOR_PORT_OFFSET;
    return this.#service("operator", index, {
      NATS_URL: natsUrl,
      ...this.#nkey("operator"),
      HOST: host,
      PORT: String(port),
      AUTH: process.env["AUTH"] ?? "dev",
      DEV_SECRET_FILE: join(dataDir, "dev-secret"),
      WEB_DIR: join(REPOSITORY, "client/operator/dist"),
    });
  }

  #service(role: ServiceRole, index: number, settings: NodeJS.ProcessEnv): Launch {
    const { partitions, dataDir, say, env, host, runner, bundled, codeOf, heapMib } = this.#options;
    const name = serviceName(role, index);
    const common = {
      ...(partitions !== undefined && { PARTITIONS: String(partitions) }),
      ...(host !== DEFAULTS.host && { METRICS_HOST: host }),
    };
    // All services inherit the environment, and they cannot share one port.
    const {
      PORT: _ours,
      DATABASE_URL: _persistences,
      METRICS_PORT: _any,
      ...inherited
    } = process.env;
    return (abort) => {
      const code = codeOf?.(name);
      const program = bundled && code === undefined ? "dist/main.js" : "main.ts";
      const version = code !== undefined && { npm_package_version: code.version };
      const own = { ...version, ...this.#extraEnv.get(name) };
      return launchService(
        {
          name,
          folder: code?.folder ?? REPOSITORY,
          entry: `services/${role}/${program}`,
          runner,
          heapMib,
          env: { ...inherited, ...common, ...settings, ...env, ...own },
          logPath: join(dataDir, "logs", `${name}.log`),
          say,
          onSpawn: (pid) => this.#record.add(name, pid),
        },
        abort,
      );
    };
  }

  /** Made once: all gateways sign invites and attachments with it, whatever AUTH is. */
  #inviteKey(): NodeJS.ProcessEnv {
    const { dataDir, env } = this.#options;
    const given = { ...process.env, ...env };
    if ((given["INVITE_KEY"] ?? given["INVITE_KEY_FILE"]) !== undefined) return {};
    const file = join(dataDir, "invite-key");
    const key = `${randomBytes(32).toString("base64url")}\n`;
    if (!existsSync(file)) writeFileSync(file, key, { mode: 0o600, flag: "wx" });
    return { INVITE_KEY_FILE: file };
  }

  #attachments(): NodeJS.ProcessEnv {
    const dir = join(this.#options.dataDir, "attachments");
    return { ATTACHMENTS_STORE: "folder", ATTACHMENTS_DIR: dir };
  }

  #nkey(user: NatsUser): NodeJS.ProcessEnv {
    const file = this.#credentials?.files[user];
    return file === undefined ? {} : { NATS_NKEY_FILE: file };
  }

  #port(usual: number): Promise<number> {
    return choosePort(this.#options.port === 0 ? 0 : usual);
  }
}

export function serviceName(role: ServiceRole, index: number): string {
  return `${role}-${index + 1}`;
}
