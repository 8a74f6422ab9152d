// Migrate: brings a database to the schema of this version. Forward only.
//
//   migrate.1. Each file of migrations/ runs once, in one transaction with the record that it ran.
//        Meanwhile an advisory lock makes other processes wait that start at the same moment.
//   migrate.2. A file that was edited after it ran is refused, because the database does not match
//        it. A recorded file that is missing here belongs to a newer version, and is ignored.
//   migrate.3. A role without the right to change the schema is sufficient when no migration is
//        missing. Otherwise the error names the job to run first (X6).
//   migrate.4. On a standby nothing is changed: its schema and its roles come from its primary. A
//        schema that is older than this version is an error, which names the order of the regions.

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { Client, DatabaseError } from "pg";
import { PartitionMap } from "#shared/protocol/partition-map.ts";
import { grantServing, grantWebhooks } from "./serving-role.ts";
import type { ServingRole } from "./serving-role.ts";

export interface MigrateOptions {
  /**
   * As the schema's owner; any role that may read is sufficient when no migration is missing
   * (migrate.3).
   */
  readonly url: string;
  /** The role that gets the rights of a serving process, after the migrations. */
  readonly serving?: ServingRole | undefined;
  /** The role that gets the rights of services/webhooks. */
  readonly webhooks?: ServingRole | undefined;
  /** Another folder of migrations, for tests. */
  readonly folder?: URL;
}

/** The database cannot be used as it is. The message states what the operator must do. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** "parley" as bytes: any number that no other program locks. */
const LOCK = 0x7061726c6579;
const CONNECT_TIMEOUT_MS = 5_000;
const INSUFFICIENT_PRIVILEGE = "42501";
const FOLDER = new URL("../migrations/", import.meta.url);
const STANDBY_IS_OLDER =
  "this PostgreSQL is a standby, and its schema is older than this version: " +
  "upgrade the region that serves first, and wait until the standby has its changes";

/**
 * Returns the names of the migrations that it applied. Rejects when the server cannot be reached.
 */
export async function migrate({
  url,
  serving,
  webhooks,
  folder = FOLDER,
}: MigrateOptions): Promise<string[]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "parley-migrate",
  });
  client.on("error", () => {}); // The current statement then rejects and reports the error.
  await client.connect();
  try {
    await requireUtf8(client);
    const files = await readMigrations(folder);
    const isOlder = (await missing(client, files)).length > 0;
    if (await isStandby(client)) {
      if (isOlder) throw new SchemaError(STANDBY_IS_OLDER); // migrate.4
      return [];
    }
    const applied = isOlder ? await applyAll(client, files) : [];
    if (serving !== undefined) await grantServing(client, serving);
    if (webhooks !== undefined) await grantWebhooks(client, webhooks);
    return applied;
  } catch (error: unknown) {
    if (!(error instanceof DatabaseError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new SchemaError(
      `the schema is older than this version, and this role may not change it: ` +
        `run services/persistence/dist/migrate-main.js as the schema's owner first (${error.message})`,
      { cause: error },
    );
  } finally {
    await client.end();
  }
}

async function isStandby(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>("select pg_is_in_recovery() as yes");
  return rows[0]?.yes === true;
}

/**
 * Stores the number of partitions at the creation of this archive, or rejects when another number
 * is stored (N3). Returns what the archive knows about splits.
 */
export async function claimPartitions(url: string, partitions: number): Promise<PartitionMap> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => {}); // As above.
  await client.connect();
  try {
    await client.query("insert into cluster (partitions) values ($1) on conflict do nothing", [
      partitions,
    ]);
    const { rows } = await client.query<{ partitions: number }>("select partitions from cluster");
    const found = rows[0]?.partitions;
    if (found === partitions) return await splitsOf(client, partitions);
    throw new SchemaError(
      `this archive was created with ${found} partitions, not ${partitions}; the number cannot change (N3)`,
    );
  } finally {
    await client.end();
  }
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{3}-[a-z0-9-]+\.sql$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(new URL(name, folder), "utf8");
      return { name, sql, sha256: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/** The migrations that did not run yet; only reads. */
async function missing(client: Client, files: readonly Migration[]): Promise<Migration[]> {
  const { rows: tables } = await client.query("select where to_regclass('migrations') is not null");
  if (tables.length === 0) return [...files];
  const { rows } = await client.query<Omit<Migration, "sql">>(
    "select name, sha256 from migrations",
  );
  const ran = new Map(rows.map((row) => [row.name, row.sha256]));
  for (const { name, sha256 } of files) {
    if ((ran.get(name) ?? sha256) === sha256) continue;
    throw new SchemaError(`migration ${name} was edited after it ran; add a new one instead`);
  }
  return files.filter(({ name }) => !ran.has(name));
}

async function applyAll(client: Client, files: readonly Migration[]): Promise<string[]> {
  // Released with the session, also after a crash.
  await client.query("select pg_advisory_lock($1)", [LOCK]);
  await client.query(
    `create table if not exists migrations (
      name text primary key, sha256 text not null, at timestamptz not null default now())`,
  );
  const left = await missing(client, files); // Another process may have been faster.
  for (const migration of left) await apply(client, migration);
  return left.map(({ name }) => name);
}

async function apply(client: Client, { name, sql, sha256 }: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(sql);
    await client.query("insert into migrations (name, sha256) values ($1, $2)", [name, sha256]);
    await client.query("commit");
  } catch (error: unknown) {
    await client.query("rollback");
    throw new SchemaError(`migration ${name} failed: ${String(error)}`, { cause: error });
  }
}

/** Lines are stored as members received them, so the database must store all of Unicode. */
async function requireUtf8(client: Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    "select current_setting('server_encoding') as encoding",
  );
  const encoding = rows[0]?.encoding;
  if (encoding === "UTF8") return;
  throw new SchemaError(`the database is encoded as ${String(encoding)}; it must be UTF8`);
}

async function splitsOf(client: Client, partitions: number): Promise<PartitionMap> {
  const { rows } = await client.query<{ partition: number; split_of: number }>(
    "select partition, split_of from watermarks where split_of is not null",
  );
  const map = new PartitionMap(partitions);
  for (const { partition, split_of: of } of rows) map.learn(partition, of);
  return map;
}
