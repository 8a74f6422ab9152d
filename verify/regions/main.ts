// `make drill-region`: the loss of a region, measured and judged.
//
//   node verify/regions/main.ts ROUNDS=10 MODE=stretched SECONDS=10 RTT=20 CUT=both PUBLISH=0
//
// Two regions, a witness and the clients are network namespaces on one machine. Each round cuts the
// region that serves from everything else; the next round cuts the other one. Measured: RPO and RTO
// (figures.ts), detection included. Judged: the records of all clients, by verify/checker. Not
// measured: a region whose machines stop, and cables with little bandwidth.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { ConfigError, readConfig } from "#shared/process/config.ts";
import { MODES, runDrill } from "./drill.ts";
import { CUTS } from "./region-network.ts";
import { modeLine, publish } from "./results.ts";
import type { ModeResult } from "./results.ts";

const PAGE = fileURLToPath(new URL("../../docs/operating/regions.md", import.meta.url));
const WRONG_INPUT = 2;

const schema = z.object({
  ROUNDS: z.coerce.number().int().min(1).max(100).default(10),
  MODE: z.enum([...MODES, "all"]).default("all"),
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
  let isPassed = true;
  for (const mode of MODE === "all" ? MODES : [MODE]) {
    const outcome = await runDrill(mode, {
      rounds: ROUNDS,
      seconds: SECONDS,
      rttMs: RTT,
      cut: CUT,
      print: (line) => console.log(line),
      say: (line) => console.error(`  ${line}`),
    });
    if (outcome.kind === "unavailable") {
      console.log(`the region drill is left out: no network of regions (${outcome.reason})`);
      return true;
    }
    const { result, complaints } = outcome;
    console.log(modeLine(result));
    console.log(
      `${mode} ${complaints.length === 0 ? "passed" : `FAILED: ${complaints.join(", ")}`}`,
    );
    isPassed &&= complaints.length === 0;
    results.push(result);
  }
  if (PUBLISH === "1") await writeFile(PAGE, publish(await readFile(PAGE, "utf8"), results));
  return isPassed;
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
