// Schemathesis: an external fuzzer of HTTP APIs, installed once into the ignored folder .tools.
//
// It sends requests that fit the API description and requests that do not, and compares status,
// headers and bodies of the answers with the description.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sayStep, ToolMissing, whichOn } from "#tools/programs/programs.ts";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL(".", import.meta.url));
const REQUIREMENTS = join(HERE, "requirements.txt");
const VENV = fileURLToPath(new URL("../../.tools/schemathesis", import.meta.url));
const PROGRAM = join(VENV, "bin", "st");
const INSTALLED = join(VENV, "requirements.txt");
const INSTALL_TIMEOUT_MS = 5 * 60_000;

/**
 * Resolves with its path. Installs it when the pins changed. Throws ToolMissing with the remedy.
 */
export async function ensureSchemathesis(say: (line: string) => void = sayStep): Promise<string> {
  const pins = readFileSync(REQUIREMENTS, "utf8");
  if (existsSync(PROGRAM) && existsSync(INSTALLED) && readFileSync(INSTALLED, "utf8") === pins) {
    return PROGRAM;
  }
  const python = whichOn(process.env["PATH"] ?? "", "python3");
  if (python === undefined)
    throw new ToolMissing("the API fuzzer needs python3 with venv; install python3-venv");
  say("installing the API fuzzer (pip install), once …");
  try {
    rmSync(VENV, { recursive: true, force: true });
    await run(python, ["-m", "venv", VENV], { timeout: INSTALL_TIMEOUT_MS });
    const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--requirement", REQUIREMENTS];
    await run(join(VENV, "bin", "python"), pip, { timeout: INSTALL_TIMEOUT_MS });
  } catch (error: unknown) {
    const reason = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
    throw new ToolMissing(`the API fuzzer could not be installed: ${reason ?? String(error)}`);
  }
  copyFileSync(REQUIREMENTS, INSTALLED); // Last: this file marks a complete installation.
  return PROGRAM;
}

export interface FuzzRun {
  /** The gateway's address. */
  readonly url: string;
  readonly token: string;
  readonly seconds: number;
  readonly seed: number;
}

export interface FuzzResult {
  /** The number of requests. */
  readonly cases: number;
  /** The exit code; 0 without a finding. */
  readonly code: number;
  readonly report: string;
}

export async function fuzzApi(program: string, options: FuzzRun): Promise<FuzzResult> {
  const { url, token, seconds, seed } = options;
  // Schemathesis writes a database to its working folder.
  const scratch = mkdtempSync(join(tmpdir(), "parley-fuzz-"));
  try {
    const child = spawn(
      program,
      [
        `--config-file=${join(HERE, "schemathesis.toml")}`,
        "run",
        `${url}/openapi.json`,
        `--header=Authorization: Bearer ${token}`,
        `--max-time=${seconds}`,
        `--seed=${seed}`,
        "--continue-on-failure",
        "--no-color",
      ],
      {
        cwd: scratch,
        env: {
          ...process.env,
          PYTHONPATH: HERE,
          SCHEMATHESIS_HOOKS: "hooks",
          PYTHONDONTWRITEBYTECODE: "1",
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, "close")) as [number | null];
    const report = Buffer.concat(chunks).toString("utf8");
    const cases = Number(/(\d[\d,]*) generated/.exec(report)?.[1]?.replaceAll(",", "") ?? 0);
    return { cases, code: code ?? 1, report };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
