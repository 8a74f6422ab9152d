// Mocha: one mocha process for a few test files, and its counts.
//
// Owns: the process, until it has exited. Does not own: which files run side by side (main.ts).
// The rules test-run/main.1 to main.3 are in main.ts.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseObject } from "#shared/kit/json.ts";
import { LINGER_MS as REPORTER_LINGER_MS } from "./reporter.ts";

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
  /** Titles of the tests that failed, with those of their suites. */
  readonly failures: readonly string[];
}

export interface MochaRun {
  readonly files: readonly string[];
  readonly timeoutMs: number;
}

/** `kept`: the output is in `Outcome.output`. */
export type Output = "inherit" | "ignore" | "kept";

export interface Outcome {
  readonly count: Count;
  /** UTF-8; empty unless it was kept. */
  readonly output: Buffer;
}

export const NONE: Count = { passed: 0, failed: 0, pending: 0, failures: [] };

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The reporter exits earlier; this limit is for a blocked event loop. */
const LINGER_MS = 2 * REPORTER_LINGER_MS;

/** Runs mocha once. Kept output waits in a file, so it takes no memory until mocha has exited. */
export async function runMocha(run: MochaRun, output: Output = "inherit"): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), "parley-tests-"));
  const result = join(dir, "result.json");
  const kept = join(dir, "output");
  const target = output === "kept" ? openSync(kept, "w") : output;
  const child = spawn(process.execPath, argumentsOf(run, result), {
    cwd: ROOT,
    stdio: ["ignore", target, target],
  });
  if (typeof target === "number") closeSync(target);
  const lingering = killLingering(child, result);
  const [exit] = (await once(child, "exit")) as [number | null];
  const lingered = lingering.stop();
  const count = readCount(result);
  // Mocha had written its result before it was killed, so the result counts (test-run/main.2).
  const code = lingered && count?.failed === 0 ? 0 : exit;
  const text = output === "kept" ? readFileSync(kept) : Buffer.alloc(0);
  rmSync(dir, { recursive: true });
  return { count: judge(code, count, run.files), output: text };
}

function argumentsOf({ files, timeoutMs }: MochaRun, result: string): string[] {
  return [
    join(ROOT, "node_modules/mocha/bin/mocha.js"),
    "--no-config",
    "--forbid-only",
    `--timeout=${timeoutMs}`,
    `--require=${join(ROOT, "tools/test-run/patience.ts")}`,
    `--reporter=${join(ROOT, "tools/test-run/reporter.ts")}`,
    `--reporter-option=result=${result}`,
    ...files,
  ];
}

/** test-run/main.2. `stop` returns whether it had to act. */
function killLingering(child: ChildProcess, result: string): { stop(): boolean } {
  let doneAt: number | undefined;
  let lingered = false;
  const timer = setInterval(() => {
    if (!existsSync(result)) return;
    doneAt ??= performance.now();
    if (lingered || performance.now() - doneAt < LINGER_MS) return;
    lingered = true;
    console.log("warning: a test left a handle open, so mocha did not exit (test-run/main.2)");
    child.kill("SIGKILL");
  }, 250);
  return {
    stop: () => {
      clearInterval(timer);
      return lingered;
    },
  };
}

/** test-run/main.1: when the report and the exit code disagree, the worse one counts. */
export function judge(
  code: number | null,
  count: Count | undefined,
  files: readonly string[],
): Count {
  const failures = [`mocha, with ${files.join(" ")}`];
  if (count === undefined) return { ...NONE, failed: 1, failures };
  if (count.failed > 0 || (code === 0 && count.passed + count.pending > 0)) return count;
  return { ...count, failed: 1, failures };
}

function readCount(path: string): Count | undefined {
  try {
    const value = parseObject(readFileSync(path, "utf8"));
    return value as Count | undefined;
  } catch {
    return undefined; // Mocha ended before its reporter did: test-run/main.1.
  }
}
