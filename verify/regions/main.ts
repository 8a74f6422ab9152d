// `make drill-region`: the loss of a region, measured and judged.
//
//   node verify/regions/main.ts ROUNDS=10 MODE=stretched SECONDS=10 RTT=20 CUT=both PUBLISH=0
//
// MODE=both: both regions serve, each its home.
//
// Two regions, a witness and the clients are network namespaces on one machine. Each round cuts the
// region that serves from everything else; the next round cuts the other one. Measured: RPO and RTO
// (figures.ts), detection included. Judged: the records of all clients, by verify/checker. Not
// measured: a region whose machines stop, and cables with little bandwidth.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { publishBoth } from "./both-results.ts";
import type { BothModeResult } from "./both-results.ts";
import { BOTH_MODES, MODES, runBothDrill, runDrill } from "./drill.ts";
import type { BothMode, Mode } from "./drill.ts";
import { CUTS } from "./region-network.ts";
import { modeLine, publish } from "./results.ts";
import type { ModeResult } from "./results.ts";

const PAGE = fileURLToPath(new URL("../../docs/operating/regions.md", import.meta.url));
const WRONG_INPUT = 2;

const schema = z.object({
  ROUNDS: z.coerce.number().int().min(1).max(100).default(10),
  MODE: z.enum([...MODES, ...BOTH_MODES, "both", "all"]).default("all"),
  SECONDS: z.coerce.number().int().min(1).max(600).default(10),
  RTT: z.coerce.number().min(0).max(1_000).default(20),
  CUT: z.enum(CUTS).default("both"),
  /** 1: write the rows into docs/operating/regions.md. */
  PUBLISH: z.enum(["0", "1"]).default("0"),
});

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error: unknown) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = WRONG_INPUT;
}

async function main(): Promise<boolean> {
  const { ROUNDS, MODE, SECONDS, RTT, CUT, PUBLISH } = optionsOf(process.argv.slice(2));
  const results: ModeResult[] = [];
  const bothResults: BothModeResult[] = [];
  const options = {
    rounds: ROUNDS,
    seconds: SECONDS,
    rttMs: RTT,
    cut: CUT,
    print: (line: string) => console.log(line),
    say: (line: string) => console.error(`  ${line}`),
  };
  let isPassed = true;
  const onRan = (mode: string, complaints: readonly string[]): void => {
    console.log(
      `${mode} ${complaints.length === 0 ? "passed" : `FAILED: ${complaints.join(", ")}`}`,
    );
    isPassed &&= complaints.length === 0;
  };
  for (const mode of modesOf(MODE)) {
    const outcome = isBoth(mode)
      ? await runBothDrill(mode, options)
      : await runDrill(mode, options);
    if (outcome.kind === "unavailable") {
      console.log(`the region drill is left out: no network of regions (${outcome.reason})`);
      return true;
    }
    const { result } = outcome;
    if (isBothResult(result)) bothResults.push(result);
    else {
      console.log(modeLine(result));
      results.push(result);
    }
    onRan(mode, outcome.complaints);
  }
  if (PUBLISH === "1") {
    const page = publish(await readFile(PAGE, "utf8"), results);
    await writeFile(PAGE, publishBoth(page, bothResults));
  }
  return isPassed;
}

function modesOf(mode: Mode | BothMode | "both" | "all"): readonly (Mode | BothMode)[] {
  if (mode === "all") return [...MODES, ...BOTH_MODES];
  return mode === "both" ? BOTH_MODES : [mode];
}

function isBoth(mode: Mode | BothMode): mode is BothMode {
  return BOTH_MODES.some((one) => one === mode);
}

function isBothResult(result: ModeResult | BothModeResult): result is BothModeResult {
  return BOTH_MODES.some((one) => one === result.mode);
}

/** `NAME=value` words. */
function optionsOf(words: readonly string[]): z.output<typeof schema> {
  const pairs = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)];
  });
  const unknown = pairs.filter(([name]) => !Object.hasOwn(schema.shape, name));
  if (unknown.length > 0) {
    const known = Object.keys(schema.shape).join(", ");
    throw new ConfigError(unknown.map(([name]) => `${name} is no option; options: ${known}`));
  }
  return readConfig(schema, Object.fromEntries(pairs));
}
