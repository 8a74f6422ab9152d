// Test run: runs mocha for each suite and prints "N passed, N failed" at the end.
//
//   node tools/test-run/main.ts unit        unit and contract tests
//   node tools/test-run/main.ts unit e2e    both, with one line for the total
//
// Most tests wait for processes and for deadlines, so a suite may run several mocha processes side
// by side. Each gets a few files, and its output appears as a whole when it ends.
//
//   test-run/main.1. The exit code is 0 only when at least one test passed in each suite and none
//        failed. A suite without a file, a process without a test, a crash of mocha and a missing
//        report are failures.
//   test-run/main.2. When mocha has reported but does not exit (a test left a handle open), it
//        exits after LINGER_MS with a warning, and kills the servers that its tests left running.
//        When it cannot exit, this program kills it.
//   test-run/main.3. A pending (skipped) test counts neither as passed nor as failed, and is named.
//        A suite with only pending tests fails.
//   test-run/main.4. Each file of a suite runs once, and the titles of the tests that failed are
//        repeated before the total.

import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NONE, runMocha } from "./mocha.ts";
import type { Count, MochaRun } from "./mocha.ts";

export interface Suite {
  /** Patterns from the root of the repository. The files of the first pattern start first. */
  readonly files: readonly string[];
  readonly timeoutMs: number;
  /** Mocha processes that run side by side. */
  readonly jobs: number;
  readonly filesPerJob: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** These files take the longest, so the others fill the time beside them. */
const LONG = "verify/{chaos,sim}/test";
const ALONE = { jobs: 1, filesPerJob: Infinity };

const SUITES: Readonly<Record<string, Suite>> = {
  unit: { files: inFolders("test"), timeoutMs: 20_000, jobs: 2, filesPerJob: 15 },
  trace: { files: inFolders("trace"), timeoutMs: 180_000, ...ALONE },
  kubernetes: { files: inFolders("kubernetes"), timeoutMs: 900_000, ...ALONE },
  canary: { files: inFolders("canary"), timeoutMs: 900_000, ...ALONE },
  compose: { files: inFolders("compose"), timeoutMs: 600_000, ...ALONE },
  e2e: {
    files: [`${LONG}/*.e2e.ts`, ...inFolders("e2e")],
    timeoutMs: 180_000,
    jobs: 2,
    filesPerJob: 1,
  },
};

/** In this order: the folders of the tree, without the packages inside them. */
function inFolders(kind: string): string[] {
  return ["services", "shared", "client", "verify", "loadtest", "infra", "tools"].map(
    (folder) => `${folder}/**/*.${kind}.ts`,
  );
}

/** Runs a suite and prints the output of each mocha process as a whole. */
export async function runSuite(
  suite: Suite,
  root = ROOT,
  print: (output: Buffer) => void = (output) => process.stdout.write(output),
): Promise<Count> {
  const runs = divide(suite, root);
  if (runs.length === 0) return { ...NONE, failed: 1, failures: [`no file: ${suite.files[0]}`] };
  const counts: Count[] = [];
  const work = async (): Promise<void> => {
    for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
      const { count, output } = await runMocha(run, suite.jobs > 1 ? "kept" : "inherit");
      print(output);
      counts.push(count);
    }
  };
  await Promise.all(Array.from({ length: suite.jobs }, work));
  return counts.reduce(add, NONE);
}

/** test-run/main.4: a file that two patterns match is in one run only. */
function divide({ files, timeoutMs, filesPerJob }: Suite, root: string): MochaRun[] {
  const exclude = ["**/node_modules/**"];
  const found = files
    .flatMap((pattern) => globSync(pattern, { cwd: root, exclude }).toSorted())
    .map((file) => join(root, file));
  const left = [...new Set(found)];
  const runs: MochaRun[] = [];
  while (left.length > 0) {
    runs.push({ files: left.splice(0, Math.min(filesPerJob, left.length)), timeoutMs });
  }
  return runs;
}

function add(a: Count, b: Count): Count {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    pending: a.pending + b.pending,
    failures: [...a.failures, ...b.failures],
  };
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
  let sum = NONE;
  for (const name of names) {
    const suite = SUITES[name];
    if (suite === undefined)
      throw new Error(`unknown suite ${name}: expected ${Object.keys(SUITES).join(", ")}`);
    const count = await runSuite(suite);
    sum = add(sum, count);
    if (count.passed === 0) sum = add(sum, { ...NONE, failed: 1, failures: [`${name}: no test`] });
  }
  if (sum.pending > 0) console.log(`${sum.pending} pending`); // test-run/main.3
  for (const title of sum.failures) console.log(`failed: ${title}`); // test-run/main.4
  console.log(`${sum.passed} passed, ${sum.failed} failed`);
  process.exitCode = sum.failed === 0 ? 0 : 1;
}

if (import.meta.main) await main(process.argv.slice(2));
