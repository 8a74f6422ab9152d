// FirstMessage: how long a developer waits from `npm install` to the first acknowledged message:
//
//   make first-message [RUNS=3]
//
// Each run installs the packed SDK into an empty project, starts the embedded cluster, and runs the
// first example of the SDK's README. Typing and reading are not in it. Prints the parts of each run
// and the median of the sums; it judges nothing, because a busy machine is slower.

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startCluster } from "#infra/embedded/cluster.ts";
import { packSdk } from "#tools/sdk/build.ts";
import { quickStartFor, runUntilAcked } from "./quick-start.ts";

const run = promisify(execFile);

interface Times {
  readonly install: number;
  readonly start: number;
  readonly message: number;
}

/** In ms. */
async function measure(archive: string): Promise<Times> {
  const folder = await mkdtemp(join(tmpdir(), "parley-first-message-"));
  const began = performance.now();
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", archive], { cwd: folder });
  const installed = performance.now();
  const dataDir = join(folder, "data");
  const cluster = await startCluster({ dataDir, port: 0, partitions: 4, say: () => undefined });
  try {
    const started = performance.now();
    await writeFile(join(folder, "main.js"), await quickStartFor(cluster.url));
    await runUntilAcked(folder);
    const install = installed - began;
    return { install, start: started - installed, message: performance.now() - started };
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const runs = Number(process.argv.find((word) => word.startsWith("RUNS="))?.slice(5) ?? 3);
  const folder = await mkdtemp(join(tmpdir(), "parley-sdk-"));
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  try {
    const archive = await packSdk(folder);
    const sums: number[] = [];
    while (sums.length < runs) {
      const { install, start, message } = await measure(archive);
      const sum = install + start + message;
      const parts = `install ${seconds(install)}  cluster ${seconds(start)}  message ${seconds(message)}`;
      console.log(`${parts}  together ${seconds(sum)}`);
      sums.push(sum);
    }
    const median = sums.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
    console.log(`npm install to the first acknowledged message: ${seconds(median)} (median)`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
