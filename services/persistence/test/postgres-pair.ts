// PostgresPair: a primary and a standby that follows it, for tests of a promotion.

import { execFile } from "node:child_process";
import { appendFile, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import type { PostgresServer } from "#shared/testing/launch-postgres.ts";
import { until } from "#shared/testing/wait.ts";
import { migrate } from "../adapters/migrate.ts";

const FOLLOWS_WITHIN_MS = 30_000;

export interface PostgresPair extends AsyncDisposable {
  readonly primary: PostgresServer;
  readonly standby: PostgresServer;
  promote(): Promise<void>;
  /** Resolves when the standby has everything that the primary has. */
  caughtUp(): Promise<void>;
}

/** With the schema of this version. */
export async function openPair(): Promise<PostgresPair> {
  const parent = await mkdtemp(join(tmpdir(), "parley-pair-"));
  await chmod(parent, 0o755); // The user of PostgreSQL enters it.
  const primary = await launchPostgres({ embedded: true, dir: join(parent, "primary") });
  await migrate({ url: primary.url });
  const { port } = new URL(primary.url);
  const folder = join(parent, "standby");
  await primary.stop(); // The copy of a stopped server is complete.
  await promisify(execFile)("cp", ["-a", primary.dir, folder]);
  await writeFile(join(folder, "standby.signal"), "");
  const source = `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'\n`;
  await appendFile(join(folder, "postgresql.auto.conf"), source);
  await primary.restart();
  const standby = await launchPostgres({ embedded: true, dir: folder });
  return {
    primary,
    standby,
    async promote() {
      await ask(standby.url, "select pg_promote()");
    },
    async caughtUp() {
      const at = await ask(primary.url, "select pg_current_wal_lsn() as value");
      const has = `select pg_last_wal_replay_lsn() >= '${at}'::pg_lsn as value`;
      await until(async () => (await ask(standby.url, has)) === "true", {
        withinMs: FOLLOWS_WITHIN_MS,
        what: "the standby to follow",
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([primary.stop(), standby.stop()]);
      await rm(parent, { recursive: true, force: true });
    },
  };
}

async function ask(url: string, text: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ value?: unknown }>(text);
    return String(rows[0]?.value);
  } finally {
    await client.end();
  }
}
