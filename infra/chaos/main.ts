// `make chaos`: a seeded run of faults against a real cluster, its judgement, and a report.
//
//   make chaos SECONDS=600 SEED=1 FAULTS=F1,F2
//
// Ends with code 0 when no invariant was broken and the run proves what it is for.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportText } from "../check/report-text.ts";
import { chaosOptions } from "./options.ts";
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

const options = chaosOptions(process.env, say);
const command = `make chaos SECONDS=${options.seconds} SEED=${options.seed}`;
const faults = process.env["FAULTS"] ?? "";
say(`${command}${faults === "" ? "" : ` FAULTS=${faults}`}`);
const result = await runChaos(options);
const text = textOf(result);
say(text);
writeFileSync(join(result.folder, "report.txt"), `${text}\n`);
writeFileSync(join(result.folder, "timeline.svg"), drawTimeline(result.folder, result.report));
const summary = summaryOf(result, {
  command: `${command}${faults === "" ? "" : ` FAULTS=${faults}`}`,
  seed: options.seed,
});
writeFileSync(join(result.folder, "summary.json"), `${JSON.stringify(summary, undefined, 1)}\n`);
say(`${result.folder}: report.txt, timeline.svg, summary.json, and all that was recorded`);
const isGood = result.report.counts.violations === 0 && result.complaints.length === 0;
say(isGood ? "chaos: passed" : "chaos: FAILED");
process.exitCode = isGood ? 0 : 1;
