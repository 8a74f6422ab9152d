import { expect } from "chai";
import * as fc from "fast-check";
import { TermModel } from "./term-model.ts";
import type { ModelOptions } from "./term-model.ts";

const SECONDS = 120;
/** The bound that term.2 states. */
const DRIFT = 0.04;
const SEEDS_MAX = 400;

function run(options: Omit<ModelOptions, "seconds">): TermModel {
  return new TermModel({ seconds: SECONDS, ...options }).run();
}

/** The first seed whose run has a finding. */
function firstFinding(plan: Omit<ModelOptions, "seconds" | "seed">): number | undefined {
  for (let seed = 0; seed < SEEDS_MAX; seed++) {
    if (run({ seed, ...plan }).findings.length > 0) return seed;
  }
  return undefined;
}

describe("Term, as a model of two regions", () => {
  for (const homes of [1, 2] as const) {
    const rule = homes === 1 ? "term.2" : "T11, term.2";
    it(`${rule}: two regions never serve one of ${homes} homes at the same time, for any delay, loss, pause and drift within the bound`, () => {
      const counts = { grants: 0, takeovers: 0, handOvers: 0, bothServed: 0 };
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (seed) => {
          const model = run({ seed, drift: DRIFT, homes });
          expect(model.findings).to.deep.equal([]);
          for (const key of ["grants", "takeovers", "handOvers", "bothServed"] as const) {
            counts[key] += model.counts[key];
          }
        }),
        { numRuns: homes === 1 ? 150 : 40 },
      );
      // A run without takeovers proves nothing. The bounds are at least six standard deviations
      // below the sums of random seeds.
      expect(counts.grants).to.be.above(1_000);
      expect(counts.takeovers).to.be.above(100);
      expect(counts.handOvers).to.be.above(50);
      // With two homes both regions serve, each another home.
      if (homes === 1) expect(counts.bothServed).to.equal(0);
      else expect(counts.bothServed).to.be.above(0);
    });
  }

  it("T11, held-grant.3: the model finds a node that uses the right of another home", () => {
    expect(firstFinding({ drift: DRIFT, homes: 2, plant: "other-home" })).to.be.a("number");
  });

  it("term.1: the model finds a lease that counts from the answer", () => {
    expect(firstFinding({ drift: DRIFT, homes: 1, plant: "lease-from-answer" })).to.be.a("number");
  });

  it("term.2: the model finds a candidate that counts on a wall clock", () => {
    expect(firstFinding({ drift: DRIFT, homes: 1, plant: "wall-clock" })).to.be.a("number");
  });

  it("held-grant.1: the model finds a grant that counts from its answer", () => {
    expect(firstFinding({ drift: DRIFT, homes: 1, plant: "grant-from-answer" })).to.be.a("number");
  });

  it("term.2: the model finds a drift far outside the bound", () => {
    expect(firstFinding({ drift: 0.3, homes: 1 })).to.be.a("number");
  });
});
