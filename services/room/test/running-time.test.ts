// RunningTime: steps close together, and a pause.

import { expect } from "chai";
import { GAP_MS, RunningTime } from "../core/running-time.ts";

describe("RunningTime", () => {
  it("running-time.1: counts the time between steps, and at most GAP_MS for a pause", () => {
    const running = new RunningTime();
    expect(running.at(5_000)).to.equal(0);
    expect(running.at(5_250)).to.equal(250);
    expect(running.at(5_250)).to.equal(250);
    expect(running.at(65_250)).to.equal(250 + GAP_MS);
    expect(running.at(65_500)).to.equal(500 + GAP_MS);
  });
});
