// Checkout: the code of another version of Parley, in a folder that can run.
//
// Owns: .parley/versions, one folder for each commit. Does not own: what is done with the code.
//
//   checkout.1. A version is a folder, or a commit or tag of this repository's history. A history
//        that lacks it (a shallow clone) is a MissingVersion, whose message names the reason.
//   checkout.2. The folder gets the packages of its own package-lock.json: those of this checkout
//        when both files are equal, otherwise by `npm ci`.
//   checkout.3. A folder is used again only when it is complete. It gets its name last.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface Checkout {
  /** The short commit, or the name of the folder. */
  readonly version: string;
  readonly folder: string;
}

/** The message states the reason. */
export class MissingVersion extends Error {
  override readonly name = "MissingVersion";
}

/** The oldest version that works together with this one (docs/operating/versions.md). */
export const OLDEST = "0177c6e";

export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));
const VERSIONS = join(REPOSITORY, ".parley/versions");
const LOCK_FILE = "package-lock.json";
/** npm installs from its cache or from the registry. */
const INSTALL_MS = 600_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

const run = promisify(execFile);

/** Rejects with MissingVersion, or with the error of git or npm. */
export async function checkOut(version: string, say: (line: string) => void): Promise<Checkout> {
  if (version !== "" && existsSync(join(version, LOCK_FILE))) {
    const folder = resolve(version);
    return { version: basename(folder), folder };
  }
  const commit = await commitOf(version);
  const short = commit.slice(0, 7);
  const folder = join(VERSIONS, short);
  if (existsSync(folder)) return { version: short, folder }; // checkout.3
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const archive = join(partial, "code.tar");
    await run("git", ["-C", REPOSITORY, "archive", "--output", archive, commit]);
    await run("tar", ["-x", "-f", archive, "-C", partial]);
    rmSync(archive);
    await install(partial, say);
    renameSync(partial, folder);
  } catch (error: unknown) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // Otherwise another run was faster.
  }
  return { version: short, folder };
}

async function commitOf(version: string): Promise<string> {
  const name = `${version}^{commit}`;
  try {
    const { stdout } = await run("git", ["-C", REPOSITORY, "rev-parse", "--verify", "-q", name]);
    return stdout.trim();
  } catch {
    throw new MissingVersion(
      `the version ${version} is neither a folder with a ${LOCK_FILE} nor a commit of this ` +
        "repository's history (a shallow clone lacks it: git fetch --unshallow)",
    );
  }
}

/** checkout.2. */
async function install(folder: string, say: (line: string) => void): Promise<void> {
  const lockOf = (of: string): string => readFileSync(join(of, LOCK_FILE), "utf8");
  if (lockOf(folder) === lockOf(REPOSITORY)) {
    symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
    return;
  }
  say(`installing the packages of ${basename(folder)} (npm ci) …`);
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    timeout: INSTALL_MS,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
}
