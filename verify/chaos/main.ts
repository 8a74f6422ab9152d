// `make chaos`: a seeded run of faults against a real cluster, the checker's verdict, and a report.
//
//   make chaos SECONDS=600 SEED=1 FAULTS=F1,F2
//
// Exits with code 0 when no invariant was broken and the run is not void.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportText } from "../checker/report-text.ts";
import { chaosOptions } from "./options.ts";
import type { ChaosOptions } from "./options.ts";
import { runChaos } from "./run.ts";
import type { ChaosResult } from "./run.ts";
import { summaryOf } from "./summary.ts";
import { drawTimeline } from "./timeline.ts";

function say(line: string): void {
  console.log(line);
}

function textOf({ report, services, versions, complaints, slipMs, skipped }: ChaosResult): string {
  const counters = Object.entries(services).map(([name, count]) => `${name} ${count}`);
  return [
    reportText(report),
    `services reported: ${counters.join(", ")}`,
    ...(versions === undefined ? [] : [versions]),
    `generator: at most ${Math.round(slipMs)} ms late, ${skipped} messages not created (full outboxes)`,
    ...complaints.map((complaint) => `VOID: ${complaint}`),
  ].join("\n");
}

/** The command that repeats this run. */
function commandOf(env: NodeJS.ProcessEnv, { seconds, seed }: ChaosOptions): string {
  const others = ["FAULTS", "RATE", "ROOMS", "NATS", "SLEEPERS", "PREVIOUS", "PATIENCE"].flatMap(
    (name) => {
      const value = env[name] ?? "";
      return value === "" ? [] : [`${name}=${value}`];
    },
  );
  return ["make chaos", `SECONDS=${seconds}`, `SEED=${seed}`, ...others].join(" ");
}

async function main(): Promise<boolean> {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => abort.abort());
  const options = await chaosOptions(process.env, say);
  const command = commandOf(process.env, options);
  say(command);
  const result = await runChaos({ ...options, signal: abort.signal });
  const { folder, report, complaints } = result;
  const text = textOf(result);
  say(text);
  const save = (name: string, what: string): void => writeFileSync(join(folder, name), what);
  save("report.txt", `${text}\n`);
  save("timeline.svg", drawTimeline(folder, report));
  const summary = summaryOf(result, { command, seed: options.seed });
  save("summary.json", `${JSON.stringify(summary, undefined, 1)}\n`);
  say(`${folder}: report.txt, timeline.svg, summary.json, records and dumps`);
  return report.counts.violations === 0 && complaints.length === 0;
}

try {
  const isGood = await main();
  say(isGood ? "chaos: passed" : "chaos: FAILED");
  process.exitCode = isGood ? 0 : 1;
} catch (error: unknown) {
  // An aborted run has stopped all that it started and has no verdict.
  if ((error as { name?: unknown }).name === "AbortError") say("chaos: stopped");
  else console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
