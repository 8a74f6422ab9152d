// `make mutants`: changes each core in small ways and prints which changes the tests detect.
//
//   node tools/mutants/main.ts ONLY=room,sdk FILE=services/room/core/commit.ts
//
// Prints the score of each folder: the share of detected mutants. Writes the mutants that no
// test detected to .parley/mutants/<folder>.txt. The exit code is 1 when a folder's score is below
// TARGET. With FILE= it tests only that file and prints its survivors.
// Does not own: how tests run (mocha-runner.ts), which files and tests take part (folders.ts).

import { Stryker } from "@stryker-mutator/core";
import type { LogLevel, MutantResult } from "@stryker-mutator/api/core";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { FOLDERS } from "./folders.ts";
import type { CoreFolder } from "./folders.ts";

/** Detected mutants of a folder, in per cent. */
const TARGET = 85;
/**
 * Added to the usual time of the tests before a mutant counts as one that never ends. StrykerJS
 * ends most endless loops sooner, by a count of steps, so this is long enough for a busy machine.
 */
const TIMEOUT_MS = 60_000;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OUT = ".parley/mutants";

interface Score {
  readonly noticed: number;
  /** Those among them whose tests did not end: on a busy machine some may be slow tests. */
  readonly timedOut: number;
  readonly survived: readonly MutantResult[];
}

async function judge(
  { path, tests, without }: CoreFolder,
  file: string | undefined,
): Promise<Score> {
  const stryker = new Stryker({
    mutate: [file ?? `${path}/**/*.ts`],
    testRunner: "parley-mocha",
    plugins: [
      fileURLToPath(new URL("mocha-runner.ts", import.meta.url)),
      fileURLToPath(new URL("assert-messages.ts", import.meta.url)),
    ],
    ignorers: ["assert-messages"],
    coverageAnalysis: "perTest",
    tempDirName: `${OUT}/sandbox`,
    tsconfigFile: "none", // StrykerJS rewrites it with an older compiler's interface.
    ignorePatterns: ["docs", "loadtest", "client/web", ".tools", ".parley"],
    reporters: [],
    logLevel: "error" as LogLevel,
    timeoutMS: TIMEOUT_MS,
    concurrency: availableParallelism(),
    parley: { tests, without },
  });
  const results = await stryker.runMutationTest();
  const noticed = results.filter(({ status }) => status === "Killed" || status === "Timeout");
  const survived = results.filter(({ status }) => status === "Survived" || status === "NoCoverage");
  const timedOut = noticed.filter(({ status }) => status === "Timeout").length;
  return { noticed: noticed.length, timedOut, survived };
}

function describe(mutant: MutantResult): string {
  const { fileName, location, status, mutatorName, replacement } = mutant;
  const where = `${relative(ROOT, fileName)}:${location.start.line}:${location.start.column}`;
  const text = replacement.replaceAll(/\s+/g, " ").slice(0, 120);
  return `${where} ${status === "NoCoverage" ? "never run " : ""}${mutatorName}: ${text}`;
}

async function main(): Promise<void> {
  const given = new Map(
    process.argv.slice(2).map((word) => word.split("=", 2) as [string, string]),
  );
  const only = given.get("ONLY") || process.env["ONLY"] || "";
  const file = given.get("FILE") || process.env["FILE"] || undefined;
  process.chdir(ROOT);
  mkdirSync(OUT, { recursive: true });
  const chosen = FOLDERS.filter(({ name, path }) =>
    file === undefined ? only === "" || only.split(",").includes(name) : file.startsWith(path),
  );
  if (chosen.length === 0)
    throw new Error(`ONLY is one of ${FOLDERS.map((f) => f.name).join(", ")}`);
  for (const folder of chosen) {
    const { noticed, timedOut, survived } = await judge(folder, file);
    const all = noticed + survived.length;
    const score = (100 * noticed) / all;
    const lines = survived.map(describe);
    if (file === undefined) writeFileSync(`${OUT}/${folder.name}.txt`, `${lines.join("\n")}\n`);
    else for (const line of lines) console.log(line);
    const note = `${noticed} of ${all} mutants detected, ${timedOut} of them by a timeout`;
    console.log(`${folder.path}: ${score.toFixed(1)} %: ${note}`);
    if (score < TARGET) process.exitCode = 1;
  }
}

await main();
