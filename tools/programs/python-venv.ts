// PythonVenv: Python packages with pinned versions, installed once into the ignored folder .tools.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 15 * 60_000;

export interface VenvSearch {
  readonly say?: (line: string) => void;
  /** The folder of the installation. */
  readonly folder?: string;
  /** Folders with python3, as in PATH. */
  readonly path?: string;
}

/**
 * Resolves with the folder of the programs. `name`: the folder with requirements.txt beside this
 * file, and the one in .tools. Throws ToolMissing with the remedy.
 */
export async function ensureVenv(
  name: string,
  title: string,
  search: VenvSearch = {},
): Promise<string> {
  const requirements = fileURLToPath(new URL(`${name}/requirements.txt`, import.meta.url));
  const place = fileURLToPath(new URL(`../../.tools/${name}`, import.meta.url));
  const { say = sayStep, folder = place } = search;
  const bin = join(folder, "bin");
  const installed = join(folder, "requirements.txt");
  const pins = readFileSync(requirements, "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === pins) return bin;
  const python = whichOn(search.path ?? process.env["PATH"] ?? "", "python3");
  if (python === undefined) {
    throw new ToolMissing(`${title} needs python3 with venv; install python3-venv`);
  }
  say(`installing ${title} (pip install), once …`);
  try {
    rmSync(folder, { recursive: true, force: true });
    await run(python, ["-m", "venv", folder], { timeout: INSTALL_TIMEOUT_MS });
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", requirements];
    await run(join(bin, "python"), pip, { timeout: INSTALL_TIMEOUT_MS });
  } catch (error: unknown) {
    const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
    const reason = `${stdout}${stderr}`.trim().split("\n").at(-1);
    throw new ToolMissing(`${title} could not be installed: ${reason ?? String(error)}`);
  }
  copyFileSync(requirements, installed); // Last: this file marks a complete installation.
  return bin;
}
