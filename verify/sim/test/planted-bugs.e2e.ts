// The simulation against bugs that were put in on purpose: each must be found within 200 seeds, as the
// promise that it breaks and not as a mere stop. What cannot find these proves nothing by its silence.

import { expect } from "chai";
import type { Finding } from "../findings.ts";
import { optionsOf } from "../options.ts";
import { PLANTS, plantOf } from "../planted-bugs.ts";
import { runWorld } from "../simulation.ts";

const SEEDS_MAX = 200;
/** A broken world is never whole again; nobody waits for it. */
const CONVERGE_MS = 15_000;

const BREAKS: Readonly<Record<string, readonly string[]>> = {
  "skip-fence": ["I1", "I3", "I4", "I10"],
  "ack-before-commit": ["I1"],
  "forget-dedupe": ["I6"],
  "out-of-order": ["I5"],
  "trim-too-far": ["D5"],
  "drop-hole": ["I5"],
  "lose-batch": ["I1", "I4"],
  "ignore-lanes": ["I7"],
  "forget-refusal": ["I7"],
  "early-mark": ["I1", "I6", "I8", "I13", "I15"],
};

async function findPlanted(name: string): Promise<{ seed: number; finding: Finding } | undefined> {
  const plant = plantOf(name);
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const options = { ...optionsOf(seed), convergeMs: CONVERGE_MS };
    const { findings } = await runWorld(options, { plant });
    const finding = findings.find(({ invariant }) => BREAKS[name]?.includes(invariant));
    if (finding !== undefined) return { seed, finding };
  }
  return undefined;
}

describe("Simulation with a planted bug", () => {
  for (const name of PLANTS) {
    it(`simulation.3: finds ${name} within ${SEEDS_MAX} seeds`, async () => {
      const found = await findPlanted(name);
      expect(found, `${name} was not found`).not.to.equal(undefined);
      console.log(`      ${name}: seed ${found?.seed}, ${found?.finding.invariant}`);
    });
  }
});
