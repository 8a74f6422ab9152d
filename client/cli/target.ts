// Target: the addresses of the cluster to which the command speaks.
//
// Owns: the order of the sources (a flag, then DATA/cluster.json of the embedded cluster, then a
// variable, then the default), and the checks of each value.
//
//   target.1. A value is read and checked when a command uses it. A wrong address of PostgreSQL
//        does not stop a command that needs only NATS.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { isObject, parseObject } from "#shared/kit/json.ts";
import type { JsonObject } from "#shared/kit/json.ts";
import { CliError } from "./cli-error.ts";

export interface TargetFlags {
  readonly url?: string;
  readonly nats?: string;
  readonly natsNkey?: string;
  readonly database?: string;
  readonly jaeger?: string;
}

/** Each getter throws CliError when its value is not valid. */
export interface Target {
  /** The gateway, without a slash at the end. */
  readonly url: string;
  readonly nats: NatsAccess;
  /** Undefined: no source has an address of PostgreSQL. */
  readonly database: string | undefined;
  readonly jaeger: string;
  /** The embedded cluster's processes: their names and pids. */
  readonly pids: ReadonlyMap<string, number>;
  /** Its pids, when its file gives the address of NATS: all processes that will answer there. */
  readonly embedded: ReadonlySet<number> | undefined;
  /** The path of the embedded cluster's file, whether it exists or not. */
  readonly clusterFile: string;
  /** From where each value comes: a flag, a variable, the cluster's file, or "the default". */
  readonly origins: {
    readonly [K in "url" | "nats" | "natsNkey" | "database" | "jaeger"]: string;
  };
}

interface Value {
  readonly text: string;
  readonly origin: string;
}

/** Throws CliError when the cluster's file exists and cannot be used. */
export function readTarget(flags: TargetFlags): Target {
  const clusterFile = join(process.env["DATA"] ?? ".parley", "cluster.json");
  const cluster = readCluster(clusterFile);
  const url =
    valueOf(flags.url, "--url") ??
    valueOf(cluster.url, clusterFile) ??
    valueByDefault("http://localhost:8080");
  const nats =
    valueOf(flags.nats, "--nats") ??
    valueOf(cluster.nats, clusterFile) ??
    valueOf(process.env["NATS_URL"], "NATS_URL") ??
    valueByDefault("nats://127.0.0.1:4222");
  const nkey =
    valueOf(flags.natsNkey, "--nats-nkey") ??
    valueOf(process.env["NATS_NKEY_FILE"], "NATS_NKEY_FILE") ??
    valueOf(cluster.natsNkeyFile, clusterFile);
  const database =
    valueOf(flags.database, "--database") ??
    valueOf(cluster.database, clusterFile) ??
    valueOf(process.env["DATABASE_URL"], "DATABASE_URL");
  const jaeger =
    valueOf(flags.jaeger, "--jaeger") ??
    valueOf(process.env["JAEGER_URL"], "JAEGER_URL") ??
    valueByDefault("http://localhost:16686");
  return {
    clusterFile,
    pids: cluster.pids,
    embedded: nats.origin === clusterFile ? new Set(cluster.pids.values()) : undefined,
    origins: {
      url: url.origin,
      nats: nats.origin,
      natsNkey: nkey?.origin ?? "no source",
      database: database?.origin ?? "no source",
      jaeger: jaeger.origin,
    },
    get url() {
      return checkUrl(url, ["http:", "https:"]).replace(/\/$/, "");
    },
    get nats() {
      for (const text of nats.text.split(",")) {
        const server = text.includes("://") ? text.trim() : `nats://${text.trim()}`;
        checkUrl({ text: server, origin: nats.origin }, ["nats:", "tls:"]);
      }
      return { url: nats.text, nkeyFile: nkey && checkSeedFile(nkey) };
    },
    get database() {
      if (database === undefined) return undefined;
      const whole = checkUrl(database, ["postgres:", "postgresql:"]);
      return database.origin === "DATABASE_URL" ? withPassword(whole) : whole;
    },
    get jaeger() {
      return checkUrl(jaeger, ["http:", "https:"]).replace(/\/$/, "");
    },
  };
}

/** An empty text counts as not set. */
function valueOf(text: string | undefined, origin: string): Value | undefined {
  return text === undefined || text === "" ? undefined : { text, origin };
}

function valueByDefault(text: string): Value {
  return { text, origin: "the default" };
}

function checkUrl({ text, origin }: Value, protocols: readonly string[]): string {
  const url = URL.parse(text);
  if (url !== null && protocols.includes(url.protocol)) return text;
  const expected = protocols.map((protocol) => `${protocol}//host:port`).join(" or ");
  throw new CliError(`${origin} is not a valid address: expected ${expected}`);
}

/** A seed of a NATS user: its type, then base32. */
const SEED = /^SU[A-Z2-7]{56}$/;

function checkSeedFile({ text: path, origin }: Value): string {
  const seed = readText(path, `the seed file of the NATS user (${origin})`).trim();
  if (SEED.test(seed)) return path;
  throw new CliError(
    `${path} (${origin}) does not hold the seed of a NATS user: expected 58 characters that ` +
      "begin with SU",
  );
}

/** A service reads its password from a file, so that no environment holds it. */
function withPassword(url: string): string {
  const file = process.env["DATABASE_PASSWORD_FILE"];
  if (file === undefined || file === "") return url;
  const whole = new URL(url);
  whole.password = readText(file, "the file of DATABASE_PASSWORD_FILE").trim();
  return whole.href;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error: unknown) {
    throw new CliError(`cannot read ${path}, ${what}: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  return code === "EACCES" ? "permission denied" : String(code ?? error);
}

interface ClusterFile {
  readonly url: string | undefined;
  /** All servers, separated by commas. */
  readonly nats: string | undefined;
  readonly natsNkeyFile: string | undefined;
  readonly database: string | undefined;
  readonly pids: ReadonlyMap<string, number>;
}

/** What the embedded cluster wrote; all undefined when it never ran here. */
function readCluster(path: string): ClusterFile {
  const value = readJson(path) ?? {};
  const gateways = listOf(value, "gateways");
  const servers = listOf(value, "nats").map((server) => server["url"]);
  const services = ["gateways", "rooms", "persistence", "webhooks", "operator"].flatMap((name) =>
    listOf(value, name),
  );
  const { natsNkeyFile, postgres } = value;
  return {
    url: textOf(gateways[0]?.["url"]),
    nats: servers.length === 0 ? undefined : servers.map(String).join(","),
    natsNkeyFile: textOf(natsNkeyFile),
    database: isObject(postgres) ? textOf(postgres["url"]) : undefined,
    pids: new Map(services.map(({ name, pid }) => [String(name), Number(pid)])),
  };
}

/** Undefined when there is no such file. */
function readJson(path: string): JsonObject | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error: unknown) {
    if (reasonOf(error) === "there is no such file") return undefined;
    const why = `${reasonOf(error)}; set DATA to the folder of the embedded cluster`;
    throw new CliError(`cannot read ${path}: ${why}`, { cause: error });
  }
  const value = parseObject(text);
  if (value !== undefined) return value;
  throw new CliError(
    `${path} is not the file of an embedded cluster: remove it, or set DATA to the right folder`,
  );
}

function listOf(value: JsonObject, name: string): readonly JsonObject[] {
  const list = value[name];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
