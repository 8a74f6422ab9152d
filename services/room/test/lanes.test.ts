// Lanes at the owner: which batch of a gateway is taken.

import { expect } from "chai";
import { InboundLanes } from "../core/lanes.ts";
import { GW } from "./partition-fixture.ts";

describe("Lanes at the owner", () => {
  const batch = (lane: number, n: number) => ({ v: 1, gw: GW, lane, n, commands: [] }) as const;

  it("P8: takes batch n only after batch n-1 of the same incarnation", () => {
    const lanes = new InboundLanes();
    expect(lanes.admit(batch(1, 2)).kind).to.equal("resync");
    expect(lanes.admit(batch(1, 1)).kind).to.equal("begin");
    expect(lanes.admit(batch(1, 3)).kind).to.equal("resync");
    expect(lanes.admit(batch(1, 2)).kind).to.equal("take");
    expect(lanes.admit(batch(1, 2)).kind).to.equal("ignore");
  });

  it("P8: a new incarnation begins at batch 1, and later batches of the old one are not taken", () => {
    const lanes = new InboundLanes();
    lanes.admit(batch(1, 1));
    expect(lanes.admit(batch(2, 1)).kind).to.equal("begin");
    expect(lanes.admit(batch(1, 2))).to.deep.equal({ kind: "older", newest: 2 });
    expect(lanes.admit(batch(1, 1))).to.deep.equal({ kind: "older", newest: 2 });
    expect(lanes.admit(batch(2, 2)).kind).to.equal("take");
  });
});
