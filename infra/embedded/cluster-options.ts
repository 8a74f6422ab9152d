// Options of the embedded cluster, and how `make start` reads them from the environment.

import { resolve } from "node:path";
import { z } from "zod";
import type { RestoreMode } from "./restore-at-start.ts";
import { readConfig } from "#shared/process/config.ts";

export interface ClusterOptions {
  /** The folder of all data that survive a restart, and of the processes' logs. */
  readonly dataDir: string;
  /**
   * The port of the first gateway; further gateways follow. 0: any free port for every process
   * (tests).
   */
  readonly port: number;
  readonly gateways: number;
  readonly rooms: number;
  readonly persistence: number;
  /** Processes that send webhooks. */
  readonly webhooks: number;
  /** Processes that serve the admin page: one, or none. */
  readonly operator: number;
  /** Number of servers of the NATS cluster. */
  readonly nats: 1 | 3;
  /**
   * The number of partitions at creation. Default: that of the data; NEW_PARTITIONS for new data.
   */
  readonly partitions?: number;
  /** `max_bytes` of each partition's log. */
  readonly logBytesMax: number;
  readonly limits: "on" | "off";
  /** The limit of each service's old generation in MiB (`--max-old-space-size`). */
  readonly heapMib: number;
  /** The reaction to logs that NATS has lost. */
  readonly restore: RestoreMode;
  /** Whether a process that ends by itself is started again. */
  readonly restart: boolean;
  /** Servers that run already; the cluster then neither starts nor stops them. */
  readonly natsUrl?: string;
  readonly databaseUrl?: string;
  /** The address on which services listen. */
  readonly host: string;
  /**
   * Words before the command of every service: `ip netns exec …`. The runner must exec the service.
   */
  readonly runner: readonly string[];
  /** Additional variables for every service. */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Services run as bundles, as in an image (decision 070). Otherwise, and with `codeOf`, they run
   * from their sources.
   */
  readonly bundled: boolean;
  /** The code of a service at its next start. Default: this checkout. */
  readonly codeOf?: (service: string) => Code;
  /** The URLs by which `service` reaches a server at `urls`. Chaos inserts a proxy here. */
  readonly route: (service: string, server: "nats" | "postgres", urls: string) => Promise<string>;
  /** Prints one line for the user at the terminal. */
  readonly say: (line: string) => void;
}

/** A checkout of Parley that can run, and the version that its processes report. */
export interface Code {
  readonly folder: string;
  readonly version: string;
}

/** One or two room nodes on one machine need no more, and each partition costs fsyncs. */
export const NEW_PARTITIONS = 4;

export const DEFAULTS: ClusterOptions = {
  dataDir: resolve(".parley"),
  port: 8_080,
  gateways: 1,
  rooms: 1,
  persistence: 1,
  webhooks: 0,
  operator: 0,
  nats: 1,
  // 4 partitions may then take 1 GiB of disk while the archive is unavailable.
  logBytesMax: 256 * 1024 * 1024,
  limits: "on",
  heapMib: 2_048,
  restore: "no",
  restart: true,
  host: "127.0.0.1",
  runner: [],
  bundled: true,
  route: (_service, _server, urls) => Promise.resolve(urls),
  say: (line) => console.log(line), // For programs. A test passes its own.
};

/** More processes have no use on one machine. It also bounds the ports of a run. */
const PROCESSES_MAX = 16;

const count = z.coerce.number().int().min(1).max(PROCESSES_MAX);

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_000).default(DEFAULTS.port),
  GATEWAYS: count.default(DEFAULTS.gateways),
  ROOMS: count.default(DEFAULTS.rooms),
  PERSISTENCE: count.default(DEFAULTS.persistence),
  WEBHOOKS: z.coerce.number().int().min(0).max(PROCESSES_MAX).default(DEFAULTS.webhooks),
  OPERATOR: z.coerce.number().int().min(0).max(1).default(DEFAULTS.operator),
  NATS: z
    .enum(["1", "3"], { error: "1, or 3 for an R3 cluster" })
    .default("1")
    .transform((text): 1 | 3 => (text === "3" ? 3 : 1)),
  PARTITIONS: z.coerce.number().int().min(1).max(1_024).optional(),
  LOG_BYTES_MAX: z.coerce.number().int().min(1_048_576).default(DEFAULTS.logBytesMax),
  DATA: z.string().default(".parley"),
  DATABASE_URL: z.string().optional(),
  NATS_URL: z.string().optional(),
  LIMITS: z.enum(["on", "off"]).default(DEFAULTS.limits),
  HEAP_MIB: z.coerce.number().int().min(32).max(65_536).default(DEFAULTS.heapMib),
  RESTORE: z.enum(["no", "logs", "logs-intact"]).default(DEFAULTS.restore),
  BUNDLED: z
    .enum(["0", "1"])
    .default("1")
    .transform((text) => text === "1"),
  RESTART: z
    .enum(["0", "1"])
    .default("1")
    .transform((text) => text === "1"),
});

/** Throws ConfigError with all complaints. */
export function optionsFromEnv(env: NodeJS.ProcessEnv = process.env): ClusterOptions {
  const config = readConfig(schema, env);
  return {
    ...DEFAULTS,
    dataDir: resolve(config.DATA),
    port: config.PORT,
    gateways: config.GATEWAYS,
    rooms: config.ROOMS,
    persistence: config.PERSISTENCE,
    webhooks: config.WEBHOOKS,
    operator: config.OPERATOR,
    nats: config.NATS,
    logBytesMax: config.LOG_BYTES_MAX,
    limits: config.LIMITS,
    heapMib: config.HEAP_MIB,
    restore: config.RESTORE,
    restart: config.RESTART,
    bundled: config.BUNDLED,
    ...(config.PARTITIONS !== undefined && { partitions: config.PARTITIONS }),
    ...(config.NATS_URL !== undefined && { natsUrl: config.NATS_URL }),
    ...(config.DATABASE_URL !== undefined && { databaseUrl: config.DATABASE_URL }),
  };
}
