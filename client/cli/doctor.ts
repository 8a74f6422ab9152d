// `parley doctor`: is this installation able to keep its promises? One line a check, and for each
// that fails what to do.
// Standard output is this command's result, hence console.log; what goes wrong is a thrown error.

import { Client } from "pg";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { checkServer } from "#shared/adapters/nats-provision.ts";
import { createLogger } from "#shared/process/logger.ts";
import { neutral } from "./print.ts";
import type { Target } from "./target.ts";

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do when it is not ok. */
  readonly remedy?: string;
}

const HTTP_TIMEOUT_MS = 3_000;

/** Prints all findings; true when all are well. */
export async function doctor(target: Target): Promise<boolean> {
  const findings = [
    node(),
    ...(await nats(target.nats)),
    await postgres(target.database),
    await gateway(target.url, "/healthz"),
    await gateway(target.url, "/readyz"),
  ];
  for (const { name, ok, detail, remedy } of findings) {
    console.log(`${ok ? "ok  " : "FAIL"} ${name}: ${neutral(detail)}`);
    if (!ok && remedy !== undefined) console.log(`       → ${remedy}`);
  }
  return findings.every((finding) => finding.ok);
}

function node(): Finding {
  const major = Number(process.versions.node.split(".")[0]);
  const remedy = "run npm ci here: the project brings its own Node 24";
  return { name: "Node", ok: major >= 24, detail: process.version, remedy };
}

async function nats(access: NatsAccess): Promise<Finding[]> {
  const logger = createLogger({ name: "doctor", level: "silent" });
  try {
    const inboxPrefix = "_INBOX_doctor";
    const bus = await openNatsBus({ ...access, name: "parley-doctor", inboxPrefix, logger });
    const check = checkServer(bus.connection);
    const version = bus.connection.info?.version ?? "unknown";
    const state = await openNatsLog(bus).last(0);
    await bus.close();
    return [
      {
        name: "NATS",
        ok: check.kind === "ok",
        detail: check.kind === "ok" ? `${version} at ${access.url}` : check.reason,
        remedy: "use nats-server 2.14.4 or newer with sync_interval: always",
      },
      {
        name: "partition log 0",
        ok: state.kind === "ok",
        detail: state.kind === "ok" ? `entries ${state.first} to ${state.last}` : state.reason,
        remedy: "start the cluster once: it provisions the streams",
      },
    ];
  } catch (error: unknown) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name: "NATS", ok: false, detail, remedy: "make start, or --nats <url>" }];
  }
}

async function postgres(url: string | undefined): Promise<Finding> {
  const name = "PostgreSQL";
  const remedy = "make start, or --database <url>; persistence applies the migrations";
  if (url === undefined) return { name, ok: false, detail: "no address is known", remedy };
  const client = new Client({ connectionString: url, connectionTimeoutMillis: HTTP_TIMEOUT_MS });
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; events: string }>(
      "select current_setting('server_version') as version, count(*) as events from events",
    );
    await client.end();
    const [row] = rows;
    return {
      name,
      ok: true,
      detail: `${row?.version ?? "?"}, ${row?.events ?? 0} events archived`,
    };
  } catch (error: unknown) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, ok: false, detail, remedy };
  }
}

async function gateway(url: string, path: string): Promise<Finding> {
  const signal = AbortSignal.timeout(HTTP_TIMEOUT_MS);
  const response = await fetch(url + path, { signal }).catch(() => undefined);
  return {
    name: `gateway ${path}`,
    ok: response?.ok === true,
    detail: response === undefined ? `no answer at ${url}` : `${response.status} at ${url}`,
    remedy: "make start; then look into .parley/logs/gateway-1.log",
  };
}
