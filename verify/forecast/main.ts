// `make forecast-eval`: runs real Node processes that leak or do not leak, until V8 ends them or
// their time is over, and prints how many ends the forecast of the services foretold.
//
//   node verify/forecast/main.ts RUNS=8 SECONDS=50 PARALLEL=2 FROM=1 [REPLAY=file]
//
// RUNS is the number of seeds for each shape. The records go to .parley/forecast; REPLAY judges
// them again without running anything.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { isHeldOut, judge, scoreOf, wilson } from "./evaluate.ts";
import type { Judged, Run } from "./evaluate.ts";
import { runLoad } from "./run-load.ts";
import { isShape, SHAPES } from "./shapes.ts";

const HEAP_MIB = 48;
const OUT = join(REPOSITORY, ".parley/forecast");
const DAY_S = 86_400;

const asked = new Map(process.argv.slice(2).map((text) => text.split("=") as [string, string]));
const numberOf = (name: string, otherwise: number): number => Number(asked.get(name) ?? otherwise);
const seconds = numberOf("SECONDS", 50);

async function runAll(): Promise<readonly Run[]> {
  const from = numberOf("FROM", 1);
  const only = asked.get("ONLY")?.split(",");
  const names = Object.keys(SHAPES)
    .filter(isShape)
    .filter((name) => only?.includes(name) ?? true);
  const todo = Array.from({ length: numberOf("RUNS", 8) }, (_, i) => from + i).flatMap((seed) =>
    names.map((name) => [name, seed] as const),
  );
  const done: Run[] = [];
  const work = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      const [shape, seed] = next;
      const run = await runLoad({ shape, seed, seconds, heapMib: HEAP_MIB });
      done.push(run);
      const { warnedAt } = judge(run);
      const end = run.isExhausted ? `ended at ${run.seconds.toFixed(1)} s` : "healthy";
      const warned = warnedAt === undefined ? "no warning" : `warned at ${warnedAt.toFixed(1)} s`;
      console.error(
        `  ${run.shape} ${run.seed}: ${end}, ${warned}, ${run.readings.length} readings`,
      );
    }
  };
  await Promise.all(Array.from({ length: numberOf("PARALLEL", 2) }, work));
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(OUT, "runs.jsonl"), done.map((run) => `${JSON.stringify(run)}\n`).join(""));
  return done;
}

function rowOf(name: string, judged: readonly Judged[]): string {
  const score = scoreOf(judged);
  const warned = score.found + score.falseAlarms;
  const lead = score.leads[Math.floor(score.leads.length / 2)];
  const cells = [
    name,
    `${score.runs}`,
    `${score.exhausted}`,
    `${score.leftOut}`,
    shareOf(score.found, score.exhausted),
    shareOf(score.found, warned),
    `${score.falseAlarms}`,
    ((score.falseAlarms / score.healthySeconds) * DAY_S || 0).toFixed(1),
    lead === undefined ? "–" : `${(100 * lead).toFixed(0)} %`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function shareOf(part: number, whole: number): string {
  const [low, high] = wilson(part, whole).map((share) => share.toFixed(2));
  return whole === 0 ? "–" : `${(part / whole).toFixed(2)} (${low}–${high})`;
}

const replay = asked.get("REPLAY");
const runs =
  replay === undefined
    ? await runAll()
    : readFileSync(replay, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Run);
const judged = runs.map(judge);
console.log(`Node ${process.version}, heap of ${HEAP_MIB} MiB, at most ${seconds} s for each run`);
console.log(
  "| shapes | runs | exhausted | left out | recall | precision | false alarms | of them in a process-day | median lead, share of the run |",
);
console.log("|---|---|---|---|---|---|---|---|---|");
console.log(rowOf("**held out**", judged.filter(isHeldOut)));
console.log(
  rowOf(
    "for choosing",
    judged.filter((one) => !isHeldOut(one)),
  ),
);
for (const name of Object.keys(SHAPES).filter(isShape)) {
  console.log(
    rowOf(
      name,
      judged.filter(({ run }) => run.shape === name),
    ),
  );
}
