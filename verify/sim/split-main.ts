// make sim-split: the longest waits of rooms over many runs of split-pauses.ts.
//
//   node verify/sim/split-main.ts SEEDS=100 FROM=1           a room node and a persistence process
//   KILLS=persistence KILLS=                                 one of them, or none
//   SEED=102 TRACE=1                                         one run, with every event of it

import { percentile } from "../drills/acks.ts";
import type { ServiceKind } from "./cluster.ts";
import { splitPauses } from "./split-pauses.ts";

const given = new Map(
  process.argv.slice(2).map((word): [string, string] => {
    const [name = "", value = ""] = word.split("=");
    return [name, value];
  }),
);
const seed = given.get("SEED");
const first = Number(seed ?? given.get("FROM") ?? 1);
const count = seed === undefined ? Number(given.get("SEEDS") ?? 100) : 1;
const kills = (given.get("KILLS") ?? "room,persistence").split(",").filter((kind) => kind !== "");
const sink = given.get("TRACE") === "1" ? (line: string): void => console.log(line) : undefined;

const all: number[] = [];
let failed = 0;
let splits = 0;
for (let n = first; n < first + count; n++) {
  const run = await splitPauses(n, kills as ServiceKind[], sink === undefined ? {} : { sink });
  all.push(...run.pauses);
  splits += run.splits;
  if (run.findings.length === 0) continue;
  failed++;
  console.log(`FAILED  SEED=${n}`, run.findings.slice(0, 3));
}
const [p50, p99, max] = [percentile(all, 0.5), percentile(all, 0.99), Math.max(...all)].map(
  Math.round,
);
const killed = kills.length === 0 ? "no kills" : `killed: ${kills.join(", ")}`;
console.log(
  `${count} runs, ${failed} failed, ${splits} partitions split, ${killed}; ` +
    `${all.length} pauses of rooms in virtual time: p50 ${p50} p99 ${p99} max ${max} ms`,
);
process.exitCode = failed > 0 ? 1 : 0;
