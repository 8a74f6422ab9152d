// Planted bugs: the simulation must find each of them within 200 seeds, as a violation of the
// promise that the bug breaks and not as a mere stop. Otherwise a run without findings proves
// nothing.

import { expect } from "chai";
import { printFigure } from "#tools/test-run/figure.ts";
import type { Finding } from "../findings.ts";
import { optionsOf } from "../options.ts";
import { PLANTED_BUGS, plantedBug } from "../planted-bugs.ts";
import { runSimulation } from "../simulation.ts";

const SEEDS_MAX = 200;
/** Shorter than usual: many of these runs never converge. */
const CONVERGE_MS = 15_000;

/** For each bug: the invariants that it may violate. */
const VIOLATES: Readonly<Record<string, readonly string[]>> = {
  "skip-fence": ["I1", "I3", "I4", "I10"],
  "ack-before-commit": ["I1"],
  "forget-dedupe": ["I6"],
  "out-of-order": ["I5"],
  "trim-too-far": ["D5"],
  "close-gap": ["I5"],
  "lose-batch": ["I1", "I4"],
  "ignore-lanes": ["I7"],
  "forget-refusal": ["I7"],
  "early-watermark": ["I1", "I6", "I8", "I13", "I15"],
  "serve-both-halves": ["I1", "I3", "I4", "I6", "I10"],
  "line-after-removal": ["I16"],
  "edit-by-stranger": ["I17"],
  "log-slower-mode": ["I16"],
  "log-fewer-uses": ["I16"],
  "fold-twice": ["I17"],
  "hide-mentions": ["I17"],
  "position-falls": ["I18"],
  "unread-counts-edits": ["I18"],
  "serve-without-term": ["T2"],
};

async function findPlanted(name: string): Promise<{ seed: number; finding: Finding } | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const options = { ...optionsOf(seed), convergeMs: CONVERGE_MS };
    const { findings } = await runSimulation(options, { plantedBug: plantedBug(name) });
    const finding = findings.find(({ invariant }) => VIOLATES[name]?.includes(invariant));
    if (finding !== undefined) return { seed, finding };
  }
  return undefined;
}

describe("Simulation with a planted bug", () => {
  for (const name of PLANTED_BUGS) {
    it(`simulation.3: finds ${name} within ${SEEDS_MAX} seeds`, async () => {
      const found = await findPlanted(name);
      expect(found, `${name} was not found`).not.to.equal(undefined);
      printFigure(`${name}: seed ${found?.seed}, ${found?.finding.invariant}`);
    });
  }
});
