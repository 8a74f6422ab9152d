// SdkTools: TypeDoc and openapi-typescript, installed once into the ignored folder .tools.
//
// Both read the JavaScript interface of TypeScript 5, so they have a package of their own:
// sdk-tools/package.json with its lockfile.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing } from "./programs.ts";

const run = promisify(execFile);
const PINS = fileURLToPath(new URL("sdk-tools", import.meta.url));
const FOLDER = fileURLToPath(new URL("../../.tools/sdk-tools", import.meta.url));
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const LOCK = "package-lock.json";

/** Resolves with the `node_modules` of the programs. Throws ToolMissing with the remedy. */
export async function ensureSdkTools(say: (line: string) => void = console.log): Promise<string> {
  const modules = join(FOLDER, "node_modules");
  const mark = join(FOLDER, "installed.json");
  const pins = readFileSync(join(PINS, LOCK), "utf8");
  if (existsSync(mark) && readFileSync(mark, "utf8") === pins) return modules;
  say("installing TypeDoc and openapi-typescript (npm ci), once …");
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const file of ["package.json", LOCK]) copyFileSync(join(PINS, file), join(FOLDER, file));
  try {
    await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: FOLDER,
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (error: unknown) {
    const { stderr = "" } = error as { stderr?: string };
    const reason = stderr.trim().split("\n").at(-1);
    throw new ToolMissing(`TypeDoc could not be installed: ${reason ?? String(error)}`);
  }
  copyFileSync(join(PINS, LOCK), mark); // Last: this file marks a complete installation.
  return modules;
}
