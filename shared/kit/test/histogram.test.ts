import { expect } from "chai";
import { Counts, NAMES_MAX } from "../counts.ts";
import { Histogram } from "../histogram.ts";

describe("Histogram and counts", () => {
  it("kit/histogram.1: counts a value below the first edge that is not smaller", () => {
    const histogram = new Histogram([1, 2, 5]);
    for (const value of [0, 1, 1.5, 2, 4, 5, 6, 1_000]) histogram.observe(value);
    expect(histogram.counts).to.deep.equal([2, 2, 2, 2]);
    expect(histogram.sum).to.equal(1_019.5);
  });

  it("kit/histogram.2: a bucket keeps its newest exemplar and no other", () => {
    const histogram = new Histogram([1, 2]);
    histogram.observe(0.5);
    for (const traceId of ["a", "b"]) {
      histogram.observe(1.5);
      histogram.exemplify({ traceId, value: 1.5, atSeconds: 7 });
    }
    expect(histogram.exemplarOf(0)).to.equal(undefined);
    expect(histogram.exemplarOf(1)).to.deep.equal({ traceId: "b", value: 1.5, atSeconds: 7 });
  });

  it("counts.1: names beyond the bound share one counter", () => {
    const counts = new Counts();
    for (let name = 0; name < NAMES_MAX + 10; name++) counts.add(`n${name}`);
    counts.add("n0", 5);
    expect(counts.get("n0")).to.equal(6);
    expect(counts.get("other")).to.equal(10);
    expect([...counts]).to.have.length(NAMES_MAX + 1);
  });

  it("counts.2: names given at the start exist before they are counted", () => {
    const counts = new Counts<string>(["ok", "busy"]);
    counts.add("busy");
    counts.add("other name");
    expect([...counts]).to.deep.equal([
      ["ok", 0],
      ["busy", 1],
      ["other name", 1],
    ]);
  });
});
