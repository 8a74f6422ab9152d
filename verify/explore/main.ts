// make explore: every interleaving of two owners, one gateway and one log, within bounds.
//
//   node --import ./verify/explore/visible-fields.ts verify/explore/main.ts [STATES=1000000] [PLANT=skip-fence]
//        [CLAIMS=2 DRAINS=0 SENDS=2 RESENDS=0 LOSSES=1 TICKS=0 ARCHIVINGS=0]
//
// Prints states, depth and pace. The exit code is 1 when a rule is broken, and then the shortest run
// that breaks it is printed. With PLANT= a broken rule is what must be found.

import { Model, PLANTS } from "./model.ts";
import type { Budget } from "./model.ts";
import { search } from "./search.ts";

/** Small enough to be explored whole in a minute. */
const DEFAULTS: Budget = {
  claims: 2,
  drains: 0,
  sends: 2,
  resends: 0,
  losses: 1,
  ticks: 0,
  archivings: 0,
};

const given = new Map(process.argv.slice(2).map((word) => word.split("=", 2) as [string, string]));
const read = (name: string): string | undefined => given.get(name) ?? process.env[name];

const budget = { ...DEFAULTS };
for (const name of Object.keys(DEFAULTS) as (keyof Budget)[]) {
  budget[name] = Number(read(name.toUpperCase()) ?? DEFAULTS[name]);
}
const named = read("PLANT");
const plant = PLANTS.find((name) => name === named);
if (named !== undefined && plant === undefined)
  throw new Error(`PLANT is one of: ${PLANTS.join(" ")}`);

const began = performance.now();
const found = search(new Model(budget, plant), Number(read("STATES") ?? 1_000_000));
const seconds = (performance.now() - began) / 1_000;
const { states, steps, depth, isWhole, broken } = found;
console.log(
  Object.entries(budget)
    .map(([name, times]) => `${name} ${times}`)
    .join(", "),
);
console.log(
  `${states} states, ${steps} steps, depth ${depth}, ${isWhole ? "all of them" : "not all"}, ` +
    `${seconds.toFixed(1)} s, ${(states / seconds).toFixed(0)} states a second`,
);
if (broken !== undefined) {
  console.log(`BROKEN ${broken.rule}`);
  for (const [i, choice] of broken.run.entries()) console.log(`  ${i + 1}. ${choice}`);
  process.exitCode = 1;
}
