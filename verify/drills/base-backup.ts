// BaseBackup: copies the folder of a running PostgreSQL, so that another one can start from the
// copy.
//
// It calls the same functions as `pg_basebackup`, because the embedded PostgreSQL has no client
// programs. A replication slot keeps the write-ahead log until it is copied too.

import { execFile } from "node:child_process";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

const run = promisify(execFile);
const SLOT = "parley_backup";
const SEGMENT = /^[0-9A-F]{24}$/;

/** `to` must not exist. */
export async function takeBackup(url: string, dir: string, to: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_create_physical_replication_slot($1, true)", [SLOT]);
    await client.query("select pg_backup_start('parley', true)");
    await run("mkdir", ["--mode=700", to]);
    const names = await readdir(dir);
    const copied = names.filter((name) => name !== "pg_wal" && name !== "postmaster.pid");
    await run("cp", ["-a", ...copied.map((name) => join(dir, name)), to]);
    const { rows } = await client.query<{ labelfile: string }>(
      "select labelfile from pg_backup_stop(false)",
    );
    // Finished segments and the current one. Other files come and go during the copy.
    const [wal, walCopy] = [join(dir, "pg_wal"), join(to, "pg_wal")];
    await run("mkdir", ["--mode=700", walCopy]);
    const segments = (await readdir(wal)).filter((name) => SEGMENT.test(name));
    await run("cp", ["-a", ...segments.map((name) => join(wal, name)), walCopy]);
    await writeFile(join(to, "backup_label"), rows[0]?.labelfile ?? "");
    await run("chown", [`--reference=${dir}`, to, walCopy, join(to, "backup_label")]);
    await rm(join(to, "pg_replslot", SLOT), { recursive: true, force: true });
  } finally {
    await client.query("select pg_drop_replication_slot($1)", [SLOT]);
    await client.end();
  }
}

/** Replaces the folder with the copy. */
export async function putBack(backup: string, dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await run("cp", ["-a", backup, dir]);
}
