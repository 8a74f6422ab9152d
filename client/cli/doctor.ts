// Doctor: `parley doctor` checks whether an installation can work. It prints one line for each
// check and a remedy for each failure.

import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { checkServer } from "#shared/adapters/nats-provision.ts";
import { createLogger } from "#shared/process/logger.ts";
import { CliError } from "./cli-error.ts";
import { failureText, postgresFailure } from "./failure-text.ts";
import type { Output } from "./output.ts";
import { neutral } from "./print.ts";
import type { Target } from "./target.ts";

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do when it is not ok; left out where `detail` contains it. */
  readonly remedy?: string;
}

const CONNECT_TIMEOUT_MS = 3_000;

/** Prints all findings; true when every check passed. */
export async function doctor(target: Target, out: Output): Promise<boolean> {
  const findings = [
    checkNode(),
    ...(await checkNats(target)),
    await checkPostgres(target),
    await checkGateway(target, "/healthz"),
    await checkGateway(target, "/readyz"),
  ];
  for (const finding of findings) {
    const { name, ok, detail, remedy } = finding;
    const advice = ok || remedy === undefined ? [] : [`       → ${remedy}`];
    out.print(finding, `${ok ? "ok  " : "FAIL"} ${name}: ${neutral(detail)}`, ...advice);
  }
  return findings.every((finding) => finding.ok);
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const remedy = "run npm ci in the project: it installs Node 24";
  return { name: "Node", ok: major >= 24, detail: process.version, remedy };
}

async function checkNats(target: Target): Promise<Finding[]> {
  const logger = createLogger({ name: "doctor", level: "silent" });
  try {
    const { nats } = target;
    const inboxPrefix = "_INBOX_doctor";
    const bus = await openNatsBus({ ...nats, name: "parley-doctor", inboxPrefix, logger });
    const check = checkServer(bus.connection);
    const version = bus.connection.info?.version ?? "unknown";
    const state = await openNatsLog(bus).last(0);
    await bus.close();
    return [
      {
        name: "NATS",
        ok: check.kind === "ok",
        detail: check.kind === "ok" ? `${version} at ${nats.url}` : check.reason,
        remedy: "use nats-server 2.14.4 or newer with sync_interval: always in its configuration",
      },
      {
        name: "partition log 0",
        ok: state.kind === "ok",
        detail: state.kind === "ok" ? `entries ${state.first} to ${state.last}` : state.reason,
        remedy: "start the cluster once: it creates the streams",
      },
    ];
  } catch (error: unknown) {
    return [{ name: "NATS", ok: false, detail: failureText(error, target) }];
  }
}

async function checkPostgres(target: Target): Promise<Finding> {
  const name = "PostgreSQL";
  try {
    const { database } = target;
    if (database === undefined) {
      const remedy = "start a cluster here (make start), or use --database <url> or DATABASE_URL";
      return { name, ok: false, detail: "no address is known", remedy };
    }
    return { name, ok: true, detail: await describePostgres(database) };
  } catch (error: unknown) {
    if (!isMissingTable(error)) return { name, ok: false, detail: detailOf(error, target) };
    const remedy = "start persistence once: it creates the tables";
    return { name, ok: false, detail: "the database has no table `events`", remedy };
  }
}

/** The code of PostgreSQL for a table that does not exist. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "42P01";
}

/** A wrong address is a CliError with its text; every other error comes from PostgreSQL. */
function detailOf(error: unknown, target: Target): string {
  return error instanceof CliError ? error.message : postgresFailure(error, target);
}

/** Its version and what it holds. Rejects with the error of `pg`. */
async function describePostgres(url: string): Promise<string> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; events: string }>(
      "select current_setting('server_version') as version, count(*) as events from events",
    );
    const [row] = rows;
    return `${row?.version ?? "?"}, ${row?.events ?? 0} events archived`;
  } finally {
    await client.end();
  }
}

async function checkGateway(target: Target, path: string): Promise<Finding> {
  const name = `gateway ${path}`;
  try {
    const { url } = target;
    const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    const response = await fetch(url + path, { signal }).catch(() => undefined);
    return {
      name,
      ok: response?.ok === true,
      detail: response === undefined ? `no answer at ${url}` : `${response.status} at ${url}`,
      remedy:
        "start a cluster here (make start), or use --url <url>; see .parley/logs/gateway-1.log",
    };
  } catch (error: unknown) {
    return { name, ok: false, detail: failureText(error, target) };
  }
}
