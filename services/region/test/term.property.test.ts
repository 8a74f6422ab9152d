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
  it("term.2: two regions never serve at the same time, for any delay, loss, pause and drift within the bound", () => {
    const counts = { grants: 0, takeovers: 0, handOvers: 0 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fffffff }), (seed) => {
        const model = run({ seed, drift: DRIFT });
        expect(model.findings).to.deep.equal([]);
        for (const key of ["grants", "takeovers", "handOvers"] as const) {
          counts[key] += model.counts[key];
        }
      }),
      { numRuns: 150 },
    );
    // A run without takeovers proves nothing.
    expect(counts.grants).to.be.above(2_000);
    expect(counts.takeovers).to.be.above(300);
    expect(counts.handOvers).to.be.above(100);
  });

  it("term.1: the model finds a lease that counts from the answer", () => {
    expect(firstFinding({ drift: DRIFT, plant: "lease-from-answer" })).to.be.a("number");
  });

  it("term.2: the model finds a candidate that counts on a wall clock", () => {
    expect(firstFinding({ drift: DRIFT, plant: "wall-clock" })).to.be.a("number");
  });

  it("held-grant.1: the model finds a grant that counts from its answer", () => {
    expect(firstFinding({ drift: DRIFT, plant: "grant-from-answer" })).to.be.a("number");
  });

  it("term.2: the model finds a drift far outside the bound", () => {
    expect(firstFinding({ drift: 0.3 })).to.be.a("number");
  });
});
