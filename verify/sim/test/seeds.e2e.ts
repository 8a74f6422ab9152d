// Seeds: five hundred runs. None may violate an invariant, and together they must reach all
// coverage events (findings.ts).
//
// A failure names its seed; `make sim SEED=…` repeats the run.

import { expect } from "chai";
import { printFigure } from "#tools/test-run/figure.ts";
import { COVERAGE_EVENTS } from "../findings.ts";
import type { CoverageCounts } from "../findings.ts";
import { optionsOf } from "../options.ts";
import { runSeed, runSimulation } from "../simulation.ts";

const SEEDS = 500;
const PER_TEST = 50;

describe("Simulation of rolling restarts", () => {
  it("S8 and P10: a service that leaves sends no error to clients and closes their connections with 1012", async () => {
    const shown = new Set<string>();
    let left = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const faults = ["leave-room", "leave-gateway", "leave-persistence"] as const;
      const sizes = { gateways: 2, roomNodes: 2, persistence: 2, faultMs: 4_000 };
      // A slow mode refuses sends, and holds back those behind them (O4): `busy`, `unavailable`.
      const options = { ...optionsOf(seed), ...sizes, faults, slowModes: false };
      const result = await runSimulation(options);
      expect(result.findings).to.deep.equal([]);
      for (const failure of result.shown) shown.add(failure);
      left += result.counts["process left after its hand-over"];
    }
    // These are errors of the simulated users: too many open history requests (S5), a leave before
    // the join was answered, which ends the join with `conflict` (seed 35) or comes after its
    // refusal (seed 1), requests in closed rooms without the right (M3, M6), and changes of events
    // that are no messages or were deleted (C2).
    shown.delete("leave not_joined");
    for (const own of ["busy", "conflict", "forbidden", "not_found"]) {
      shown.delete(`page ${own}`);
      if (own === "busy") continue;
      shown.delete(`request ${own}`);
      shown.delete(`send ${own}`);
    }
    expect([...shown]).to.deep.equal(["close 1012"]);
    expect(left).to.be.above(80);
  });
});

describe("Simulation", () => {
  const counts: Partial<CoverageCounts> = {};
  let acked = 0;

  for (let first = 1; first <= SEEDS; first += PER_TEST) {
    const last = first + PER_TEST - 1;
    it(`I13: seeds ${first} to ${last} violate no invariant and converge after the last fault`, async () => {
      const failures: string[] = [];
      for (let seed = first; seed <= last; seed++) {
        const result = await runSeed(seed);
        acked += result.acked;
        for (const name of COVERAGE_EVENTS)
          counts[name] = (counts[name] ?? 0) + result.counts[name];
        const [finding] = result.findings;
        if (finding === undefined) continue;
        failures.push(`make sim SEED=${seed}  ${finding.invariant}: ${finding.detail}`);
      }
      expect(failures).to.deep.equal([]);
    });
  }

  it("simulation.3: all seeds together reach every coverage event", () => {
    printFigure(`${SEEDS} seeds, ${acked} acked, ${JSON.stringify(counts)}`);
    const missed = COVERAGE_EVENTS.filter((name) => counts[name] === 0);
    expect(missed).to.deep.equal([]);
    expect(acked).to.be.above(SEEDS * 50);
  });
});
