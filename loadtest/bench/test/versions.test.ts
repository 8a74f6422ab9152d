import { expect } from "chai";
import type { Leg } from "../figures.ts";
import { isOwn, toBase, versions, versus } from "../versions.ts";

function legOf(peer: string, cost: number): Leg {
  return {
    shape: "1 room",
    peer,
    seconds: 1,
    expected: 0,
    delivered: 0,
    cpuUs: 0,
    cpuUsBy: {},
    rssMb: {},
    slipMs: { p99: 0, worst: 0 },
    generatorCpu: 0,
    nodes: {},
    complaints: {},
    more: { cost },
  };
}

describe("Versions", () => {
  it("versions.1: the base plays only when it is compared", () => {
    expect(versions({ peers: new Set(["raw"]) }, 0)).to.have.length(1);
    expect(versions({ peers: new Set(["base"]) }, 1)).to.have.length(2);
  });

  it("compares the figures of a round, whichever version played first", () => {
    const legs = [
      legOf("Parley", 2),
      legOf("Parley (base)", 1),
      legOf("Parley (base)", 4),
      legOf("Parley", 4.1),
      legOf("Parley", 5.1),
      legOf("Parley (base)", 5),
    ];
    expect(legs.filter(isOwn)).to.have.length(3);
    const [verdict, ...others] = toBase(legs, ["cost"]);
    expect(others).to.deep.equal([]);
    expect(verdict).to.deep.equal({
      what: "cost, to the base",
      target: "≤ 1.03 ×",
      measured: "1.02 × (1.02 … 2.00)",
      ok: true,
    });
  });

  it("a figure above 1.03 × misses; without a base there is no verdict", () => {
    expect(versus("cost", [1.04], [1])[0]?.ok).to.equal(false);
    expect(toBase([legOf("Parley", 1)], ["cost"])).to.deep.equal([]);
  });
});
