// Debian programs: programs of Debian packages, found or installed.
//
//   debian.1. A user who is not root, or a machine without apt-get, gets one error that names all
//        missing packages.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);

/** Debian's programs for root are often not in the PATH of a user. */
const FOLDERS = "/usr/sbin:/sbin";
const INSTALL_TIMEOUT_MS = 10 * 60_000;
/** Another apt-get may hold the lock. */
const LOCK = ["-o", "DPkg::Lock::Timeout=300"];

/**
 * Resolves with the path of each program. `packages`: program → the package that holds it. A file
 * that is no command, for example a font, is named by its path. Throws ToolMissing.
 */
export async function ensureDebianPrograms<Name extends string>(
  packages: Readonly<Record<Name, string>>,
  say: (line: string) => void = sayStep,
  path: string = `${process.env["PATH"] ?? ""}:${FOLDERS}`,
): Promise<Readonly<Record<Name, string>>> {
  const names = Object.keys(packages) as Name[];
  const missing = names.filter((name) => pathOf(name, path) === undefined);
  if (missing.length > 0) {
    const needed = missing.map((name) => packages[name]);
    await install(needed, path, say);
    const still = missing.filter((name) => pathOf(name, path) === undefined);
    if (still.length > 0) throw new ToolMissing(`${still.join(", ")} is still missing`);
  }
  return Object.fromEntries(names.map((name) => [name, pathOf(name, path) ?? ""])) as Record<
    Name,
    string
  >;
}

function pathOf(name: string, path: string): string | undefined {
  if (!name.startsWith("/")) return whichOn(path, name);
  return existsSync(name) ? name : undefined;
}

async function install(
  packages: readonly string[],
  path: string,
  say: (line: string) => void,
): Promise<void> {
  const list = packages.join(" ");
  const apt = whichOn(path, "apt-get");
  // debian.1
  if (process.getuid?.() !== 0 || apt === undefined) {
    throw new ToolMissing(`programs are missing; install them: apt-get install ${list}`);
  }
  say(`installing ${list} with apt-get, once …`);
  const options = {
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  try {
    await run(apt, ["update", "-qq"], options);
    await run(
      apt,
      [...LOCK, "install", "-y", "-qq", "--no-install-recommends", ...packages],
      options,
    );
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new ToolMissing(`apt-get could not install ${list}: ${reason ?? String(error)}`);
  }
}
