// Test run: runs mocha for each suite and prints "N passed, N failed" at the end.
//
//   node tools/test-run/main.ts unit        unit and contract tests
//   node tools/test-run/main.ts unit e2e    both, with one line for the total
//
//   test-run/main.1. The exit code is 0 only when at least one test passed in each suite and none
//        failed. A suite without a test, a crash of mocha and a missing report are failures.
//   test-run/main.2. When mocha has reported but does not exit (a test left a handle open), it
//        exits after LINGER_MS with a warning, and kills the servers that its tests left running.
//        When it cannot exit, this program kills it.
//   test-run/main.3. A pending (skipped) test counts neither as passed nor as failed, and is named.
//        A run with only pending tests fails.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseObject } from "#shared/kit/json.ts";
import { LINGER_MS as REPORTER_LINGER_MS } from "./reporter.ts";

interface Suite {
  readonly files: readonly string[];
  readonly timeoutMs: number;
}

export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly pending: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** The reporter exits earlier; this limit is for a blocked event loop. */
const LINGER_MS = 2 * REPORTER_LINGER_MS;
const FOLDERS = "{services,shared,client,infra,verify,loadtest,tools}/**";

const SUITES: Readonly<Record<string, Suite>> = {
  unit: { files: [`${FOLDERS}/*.test.ts`], timeoutMs: 20_000 },
  trace: { files: [`${FOLDERS}/*.trace.ts`], timeoutMs: 180_000 },
  kubernetes: { files: [`${FOLDERS}/*.kubernetes.ts`], timeoutMs: 900_000 },
  canary: { files: [`${FOLDERS}/*.canary.ts`], timeoutMs: 900_000 },
  compose: { files: [`${FOLDERS}/*.compose.ts`], timeoutMs: 600_000 },
  e2e: { files: [`${FOLDERS}/*.e2e.ts`], timeoutMs: 180_000 },
};

/** Runs mocha once; its output goes to the terminal. */
export async function runMocha(
  suite: Suite,
  output: "inherit" | "ignore" = "inherit",
): Promise<Count> {
  const dir = mkdtempSync(join(tmpdir(), "parley-tests-"));
  const result = join(dir, "result.json");
  const child = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules/mocha/bin/mocha.js"),
      "--no-config",
      "--forbid-only",
      `--timeout=${suite.timeoutMs}`,
      `--require=${join(ROOT, "tools/test-run/patience.ts")}`,
      `--reporter=${join(ROOT, "tools/test-run/reporter.ts")}`,
      `--reporter-option=result=${result}`,
      ...suite.files,
    ],
    { cwd: ROOT, stdio: ["ignore", output, output] },
  );
  const lingering = killLingering(child, result);
  const [exit] = (await once(child, "exit")) as [number | null];
  const lingered = lingering.stop();
  const count = readCount(result);
  // Mocha had written its result before it was killed, so the result counts (test-run/main.2).
  const code = lingered && count?.failed === 0 ? 0 : exit;
  rmSync(dir, { recursive: true });
  return judge(code, count);
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
export function judge(code: number | null, count: Count | undefined): Count {
  if (count === undefined) return { passed: 0, failed: 1, pending: 0 };
  if (count.failed > 0 || (code === 0 && count.passed > 0)) return count;
  return { ...count, failed: 1 };
}

function readCount(path: string): Count | undefined {
  try {
    const value = parseObject(readFileSync(path, "utf8"));
    return value as Count | undefined;
  } catch {
    return undefined; // Mocha ended before its reporter did: test-run/main.1.
  }
}

/** Builds programs beside the first tests, and no longer than this process runs (ahead.ts). */
function buildAhead(): void {
  const program = fileURLToPath(new URL("../programs/ahead.ts", import.meta.url));
  const stdio = ["pipe", "ignore", "ignore"] as const;
  const builder = spawn(process.execPath, [program], { stdio: [...stdio], detached: true });
  builder.on("error", () => undefined); // The tests build what they need.
  (builder.stdin as Socket | null)?.unref(); // The pipe keeps this process alive otherwise.
  builder.unref();
}

async function main(names: readonly string[]): Promise<void> {
  if (names.includes("unit")) buildAhead();
  let sum: Count = { passed: 0, failed: 0, pending: 0 };
  for (const name of names) {
    const suite = SUITES[name];
    if (suite === undefined)
      throw new Error(`unknown suite ${name}: expected ${Object.keys(SUITES).join(", ")}`);
    const { passed, failed, pending } = await runMocha(suite);
    sum = {
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      pending: sum.pending + pending,
    };
  }
  if (sum.pending > 0) console.log(`${sum.pending} pending`); // test-run/main.3
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

if (import.meta.main) await main(process.argv.slice(2));
