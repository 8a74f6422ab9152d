// NpmProgram: programs of npm that are no packages of this project, installed once into the ignored
// folder .tools, each from a package of its own with its lockfile: tools/programs/<name>.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing } from "./programs.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const LOCK = "package-lock.json";

/**
 * Resolves with the `node_modules` of the programs. `what`: their names, for the terminal. Throws
 * ToolMissing with the remedy.
 */
export async function ensureNpmProgram(
  name: string,
  what: string,
  say: (line: string) => void,
): Promise<string> {
  const pinned = fileURLToPath(new URL(name, import.meta.url));
  const folder = fileURLToPath(new URL(`../../.tools/${name}`, import.meta.url));
  const modules = join(folder, "node_modules");
  const mark = join(folder, "installed.json");
  const pins = readFileSync(join(pinned, LOCK), "utf8");
  if (existsSync(mark) && readFileSync(mark, "utf8") === pins) return modules;
  say(`installing ${what} (npm ci), once …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", LOCK]) copyFileSync(join(pinned, file), join(folder, file));
  try {
    await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: folder,
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (error: unknown) {
    const { stderr = "" } = error as { stderr?: string };
    const reason = stderr.trim().split("\n").at(-1);
    throw new ToolMissing(`${what} could not be installed: ${reason ?? String(error)}`);
  }
  copyFileSync(join(pinned, LOCK), mark); // Last: this file marks a complete installation.
  return modules;
}
