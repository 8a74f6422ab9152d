// Five hundred worlds. Each may go wrong in its own way; none may break a promise, and together they
// must have been through everything that is interesting (`sometimes`).
//
// A failure names its seed: `make sim SEED=…` plays it again.

import { expect } from "chai";
import { SOMETIMES } from "../findings.ts";
import type { Counts } from "../findings.ts";
import { runSeed } from "../world.ts";

const SEEDS = 500;
const PER_TEST = 50;

describe("Simulation", () => {
  const counts: Partial<Counts> = {};
  let acked = 0;

  for (let first = 1; first <= SEEDS; first += PER_TEST) {
    const last = first + PER_TEST - 1;
    it(`I13: seeds ${first} to ${last} keep every promise, and are whole again after it`, async () => {
      const broken: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const result = await runSeed(seed);
        acked += result.acked;
        for (const name of SOMETIMES) counts[name] = (counts[name] ?? 0) + result.counts[name];
        const [finding] = result.findings;
        if (finding === undefined) continue;
        broken.push(`make sim SEED=${seed}  ${finding.invariant}: ${finding.detail}`);
      }
      expect(broken).to.deep.equal([]);
    });
  }

  it("WD3: all of them together met everything that a run must meet to prove anything", () => {
    console.log(`      ${SEEDS} seeds, ${acked} acked, ${JSON.stringify(counts)}`);
    const never = SOMETIMES.filter((name) => counts[name] === 0);
    expect(never).to.deep.equal([]);
    expect(acked).to.be.above(SEEDS * 50);
  });
});
