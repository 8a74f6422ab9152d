import { expect } from "chai";
import { slopePerHour } from "../soak-table.ts";

describe("Soak table", () => {
  it("the slope is that of the line through the samples, in MiB per hour", () => {
    const samples = [0, 600, 1_200, 1_800].map((at) => ({ at, mb: { room: 40 + at / 1_800 } }));
    expect(slopePerHour(samples, "room")).to.be.closeTo(2, 1e-9);
    expect(slopePerHour(samples.toReversed(), "room")).to.be.closeTo(2, 1e-9);
  });
});
