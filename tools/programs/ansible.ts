// Ansible: ansible-playbook and ansible-lint, installed once into the ignored folder .tools.
//
// The pins are in ansible/requirements.txt; an operator may install the same ones.

import { execFile } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ToolMissing, whichOn } from "./programs.ts";

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL("ansible/requirements.txt", import.meta.url));
const VENV = fileURLToPath(new URL("../../.tools/ansible", import.meta.url));
const INSTALL_TIMEOUT_MS = 15 * 60_000;

export interface AnsibleSearch {
  readonly say?: (line: string) => void;
  /** The folder of the installation. */
  readonly folder?: string;
  /** Folders with python3, as in PATH. */
  readonly path?: string;
}

/** Resolves with the folder of the programs. Throws ToolMissing with the remedy. */
export async function ensureAnsible(search: AnsibleSearch = {}): Promise<string> {
  const { say = (line) => console.log(line), folder = VENV } = search;
  const bin = join(folder, "bin");
  const installed = join(folder, "requirements.txt");
  const pins = readFileSync(REQUIREMENTS, "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === pins) return bin;
  const python = whichOn(search.path ?? process.env["PATH"] ?? "", "python3");
  if (python === undefined) {
    throw new ToolMissing("Ansible needs python3 with venv; install python3-venv");
  }
  say("installing Ansible (pip install), once …");
  try {
    rmSync(folder, { recursive: true, force: true });
    await run(python, ["-m", "venv", folder], { timeout: INSTALL_TIMEOUT_MS });
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", REQUIREMENTS];
    await run(join(bin, "python"), pip, { timeout: INSTALL_TIMEOUT_MS });
  } catch (error: unknown) {
    const { stderr = "", stdout = "" } = error as { stderr?: string; stdout?: string };
    const reason = `${stdout}${stderr}`.trim().split("\n").at(-1);
    throw new ToolMissing(`Ansible could not be installed: ${reason ?? String(error)}`);
  }
  copyFileSync(REQUIREMENTS, installed); // Last: this file marks a complete installation.
  return bin;
}
