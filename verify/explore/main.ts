// make explore: visits every interleaving of two owners, one gateway and one log, within bounds.
//
//   node --import ./verify/explore/visible-fields.ts verify/explore/main.ts
//        [STATES=1000000] [PLANT=skip-fence]
//        [CLAIMS=2 DRAINS=0 SENDS=2 RESENDS=0 LOSSES=1 TICKS=0 ARCHIVINGS=0]
//
// Prints the number of states, the depth and the speed. When a rule is violated, it prints a
// shortest run that leads to the violation and exits with 1. With PLANT= a violation is the
// expected result.

import { Model, PLANTED_BUGS } from "./model.ts";
import type { Budget } from "./model.ts";
import { search } from "./search.ts";

/** Small enough that all states are visited within a minute. */
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
const name = read("PLANT");
const plantedBug = PLANTED_BUGS.find((bug) => bug === name);
if (name !== undefined && plantedBug === undefined)
  throw new Error(`PLANT is one of: ${PLANTED_BUGS.join(" ")}`);

const began = performance.now();
const result = search(new Model(budget, plantedBug), Number(read("STATES") ?? 1_000_000));
const seconds = (performance.now() - began) / 1_000;
const { states, steps, depth, isComplete, violation } = result;
console.log(
  Object.entries(budget)
    .map(([event, times]) => `${event} ${times}`)
    .join(", "),
);
console.log(
  `${states} states, ${steps} steps, depth ${depth}, ${isComplete ? "all states" : "not all states"}, ` +
    `${seconds.toFixed(1)} s, ${(states / seconds).toFixed(0)} states a second`,
);
if (violation !== undefined) {
  console.log(`VIOLATION ${violation.rule}`);
  for (const [i, choice] of violation.run.entries()) console.log(`  ${i + 1}. ${choice}`);
  process.exitCode = 1;
}
