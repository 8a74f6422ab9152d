// Migrate: brings a database to the schema that this code was written for. Forward only.
//
//   migrate.1. Each file of migrations/ runs once, in one transaction with the note that it ran, while an
//        advisory lock keeps other processes that start at the same moment waiting.
//   migrate.2. A file that ran and was edited afterwards is refused: what it says is not what the database
//        is. One that ran and is not here belongs to a newer version, and is left alone.
//   migrate.3. A role that may not change the schema needs no right to do so while nothing is missing, and
//        else learns which job has to run first (X6).

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { Client, DatabaseError } from "pg";
import { grantServing } from "./serving-role.ts";
import type { ServingRole } from "./serving-role.ts";

export interface MigrateOptions {
  /** Of the schema's owner; of any role that may read when nothing is missing (migrate.3). */
  readonly url: string;
  /** Gets the rights that a serving process needs, after the migrations. */
  readonly serving?: ServingRole | undefined;
  /** Another folder of migrations, for tests. */
  readonly folder?: URL;
}

/** A database that cannot be used as it is; the message says what to do, for an operator. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
}

/** Any number will do, as long as nobody else locks it: "parley" as bytes. */
const LOCK = 0x7061726c6579;
const CONNECT_TIMEOUT_MS = 5_000;
const INSUFFICIENT_PRIVILEGE = "42501";
const FOLDER = new URL("../migrations/", import.meta.url);

/** The names that were applied now. Rejects when the server cannot be reached. */
export async function migrate({
  url,
  serving,
  folder = FOLDER,
}: MigrateOptions): Promise<string[]> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: "parley-migrate",
  });
  client.on("error", () => {}); // The statement that runs then rejects, and tells.
  await client.connect();
  try {
    await requireUtf8(client);
    const files = await readMigrations(folder);
    const applied = (await missing(client, files)).length > 0 ? await applyAll(client, files) : [];
    if (serving !== undefined) await grantServing(client, serving);
    return applied;
  } catch (error: unknown) {
    if (!(error instanceof DatabaseError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new SchemaError(
      `the schema is not that of this version, and this role may not change it: ` +
        `run services/persistence/migrate-main.ts as the schema's owner first (${error.message})`,
      { cause: error },
    );
  } finally {
    await client.end();
  }
}

/** Fixes how many partitions this archive is of, or finds that it is of another number (N3). */
export async function claimPartitions(url: string, partitions: number): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => {}); // As above.
  await client.connect();
  try {
    await client.query("insert into cluster (partitions) values ($1) on conflict do nothing", [
      partitions,
    ]);
    const { rows } = await client.query<{ partitions: number }>("select partitions from cluster");
    const found = rows[0]?.partitions;
    if (found === partitions) return;
    throw new SchemaError(`this archive is of ${found} partitions for ever, not ${partitions}`);
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

/** Those that did not run yet; only reads. */
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
  // Released with the session, also if we die.
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

/** Lines are kept as they were shown, so the database must be able to hold all of Unicode. */
async function requireUtf8(client: Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>(
    "select current_setting('server_encoding') as encoding",
  );
  const encoding = rows[0]?.encoding;
  if (encoding === "UTF8") return;
  throw new SchemaError(`the database is encoded as ${String(encoding)}; it must be UTF8`);
}
