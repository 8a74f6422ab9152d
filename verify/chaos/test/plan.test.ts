import { expect } from "chai";
import { makePlan, ROWS, rowsNamed } from "../plan.ts";

const names = (seed: number, seconds: number): string[] =>
  makePlan({ seed, seconds, rows: ROWS }).map(({ row }) => row.name);

describe("Chaos plan", () => {
  it("plan.1: one seed gives one plan, and another seed gives another", () => {
    const plan = makePlan({ seed: 7, seconds: 600, rows: ROWS });
    expect(makePlan({ seed: 7, seconds: 600, rows: ROWS })).to.deep.equal(plan);
    expect(names(8, 600)).to.not.deep.equal(names(7, 600));
  });

  it("plan.2: every fault comes once before any comes twice", () => {
    for (let seed = 0; seed < 20; seed++) {
      const first = names(seed, 3_600).slice(0, ROWS.length);
      expect(new Set(first).size).to.equal(ROWS.length);
    }
  });

  it("plan.3: every fault has a rest before it, and all faults fit into the time", () => {
    const plan = makePlan({ seed: 1, seconds: 600, rows: ROWS });
    const sum = plan.reduce((ms, { row, restMs }) => ms + row.costMs + restMs, 0);
    expect(Math.min(...plan.map(({ restMs }) => restMs))).to.be.at.least(2_000);
    expect(sum).to.be.at.most(600_000);
    expect(makePlan({ seed: 1, seconds: 3, rows: ROWS })).to.deep.equal([]);
    expect(makePlan({ seed: 1, seconds: 60, rows: [] })).to.deep.equal([]);
  });

  it("plan.2: a name stands for its variants, and an unknown name throws", () => {
    expect(rowsNamed(["F4", "F12-slow"]).map(({ name }) => name)).to.deep.equal([
      "F4-kill",
      "F4-stop",
      "F12-slow",
    ]);
    expect(() => rowsNamed(["F1", "F99"])).to.throw("F99");
  });
});
