// `make chaos`: a seeded run of faults against a real cluster, its judgement, and a report.
//
//   make chaos SECONDS=600 SEED=1 FAULTS=F1,F2
//
// Ends with code 0 when no invariant was broken and the run proves what it is for.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportText } from "../check/report-text.ts";
import { chaosOptions } from "./options.ts";
import type { ChaosOptions } from "./options.ts";
import { runChaos } from "./run.ts";
import type { ChaosResult } from "./run.ts";
import { summaryOf } from "./summary.ts";
import { drawTimeline } from "./timeline.ts";

function say(line: string): void {
  console.log(line);
}

function textOf({ report, services, complaints, slipMs, skipped }: ChaosResult): string {
  const counters = Object.entries(services).map(([name, count]) => `${name} ${count}`);
  return [
    reportText(report),
    `services said: ${counters.join(", ")}`,
    `generator: at most ${Math.round(slipMs)} ms late, ${skipped} messages not made (full outboxes)`,
    ...complaints.map((complaint) => `VOID: ${complaint}`),
  ].join("\n");
}

/** What makes this run again. */
function commandOf(env: NodeJS.ProcessEnv, { seconds, seed }: ChaosOptions): string {
  const others = ["FAULTS", "RATE", "ROOMS", "NATS", "SLEEPERS", "PATIENCE"].flatMap((name) => {
    const value = env[name] ?? "";
    return value === "" ? [] : [`${name}=${value}`];
  });
  return ["make chaos", `SECONDS=${seconds}`, `SEED=${seed}`, ...others].join(" ");
}

const options = chaosOptions(process.env, say);
const command = commandOf(process.env, options);
say(command);
const result = await runChaos(options);
const text = textOf(result);
say(text);
writeFileSync(join(result.folder, "report.txt"), `${text}\n`);
writeFileSync(join(result.folder, "timeline.svg"), drawTimeline(result.folder, result.report));
const summary = summaryOf(result, {
  command,
  seed: options.seed,
});
writeFileSync(join(result.folder, "summary.json"), `${JSON.stringify(summary, undefined, 1)}\n`);
say(`${result.folder}: report.txt, timeline.svg, summary.json, and all that was recorded`);
const isGood = result.report.counts.violations === 0 && result.complaints.length === 0;
say(isGood ? "chaos: passed" : "chaos: FAILED");
process.exitCode = isGood ? 0 : 1;
