import { expect } from "chai";
import { Histogram } from "../histogram.ts";
import { isVoid, median, medianRange, ratio } from "../figures.ts";
import type { Leg } from "../figures.ts";
import { verdictsOfB8 } from "../items/sockets.ts";
import { bySelf, flameGraph, toFrames } from "../profile/flame.ts";
import { plotCost } from "../plot.ts";

const LEG: Leg = {
  shape: "1 room",
  peer: "Parley",
  seconds: 1,
  expected: 10,
  delivered: 10,
  cpuUs: 4,
  cpuUsBy: {},
  rssMb: {},
  slipMs: { p99: 1, worst: 2 },
  generatorCpu: 0.5,
  nodes: {},
  complaints: {},
};

describe("Figures", () => {
  it("figures.1: returns the median of the ratios of all rounds", () => {
    expect(ratio([2, 9, 4], [1, 3, 4])).to.deep.equal({ median: 2, least: 1, most: 3 });
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).to.deep.equal([2, 2.5]);
  });

  it("figures.1: the range of a median omits samples with a probability of 1 in 40", () => {
    const samples = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i);
    // Too few samples to omit any.
    expect(medianRange(samples(5))).to.deep.equal({ low: 1, high: 5 });
    expect(medianRange(samples(8))).to.deep.equal({ low: 1, high: 8 });
    expect(medianRange(samples(9))).to.deep.equal({ low: 2, high: 8 });
    expect(medianRange(samples(12))).to.deep.equal({ low: 3, high: 10 });
    expect(medianRange(samples(30))).to.deep.equal({ low: 10, high: 21 });
  });

  it("figures.2: a leg with a late generator is void", () => {
    expect(isVoid(LEG)).to.equal(false);
    expect(isVoid({ ...LEG, slipMs: { p99: 25, worst: 25 } })).to.equal(true);
  });

  it("B8 compares the legs with paused readers with the legs in which all read", () => {
    const legOf = (p99: number, mb: number): Leg => {
      return { ...LEG, deliveryMs: { p50: 1, p99 }, rssMb: { "gateway-1": mb } };
    };
    const verdicts = verdictsOfB8([legOf(10, 100)], [legOf(12, 108)]);
    expect(verdicts.map(({ measured }) => measured)).to.deep.equal([
      "1.20 ×",
      "8.00 MiB",
      "all of 20",
    ]);
  });

  it("bench/histogram.1: merged histograms have the percentiles of all samples", () => {
    const [low, high] = [new Histogram(), new Histogram()];
    for (let n = 0; n < 90; n++) low.add(1);
    for (let n = 0; n < 10; n++) high.add(100);
    const all = new Histogram().merge(low).merge(high);
    expect(all.percentile(0.5)).to.be.closeTo(1, 0.03);
    expect(all.percentile(0.99)).to.be.closeTo(100, 3);
  });

  it("plot.1: hatches a system that did not deliver everything", () => {
    const part = { ...LEG, peer: "other", delivered: 5 };
    expect(plotCost([LEG]).split("url(#part)")).to.have.length(1);
    expect(plotCost([LEG, part]).split("url(#part)")).to.have.length(2);
  });
});

describe("Flame graph", () => {
  const frame = (functionName: string) => ({ functionName, url: "", lineNumber: 0 });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame("(root)"), children: [2, 4] },
      { id: 2, callFrame: frame("write<T>"), children: [3] },
      { id: 3, callFrame: frame("inner") },
      { id: 4, callFrame: frame("(idle)") },
    ],
    samples: [2, 3, 3, 4],
    timeDeltas: [10, 20, 10, 500],
  };

  it("flame.1: counts time for a function and its callers, and ignores idle time", () => {
    const root = toFrames(profile, 500);
    expect(root.totalUs).to.equal(40);
    expect(root.children[0]).to.include({ name: "write<T>", selfUs: 10, totalUs: 40 });
    expect(bySelf(root)[0]).to.deep.equal({ where: "inner", share: 0.75 });
  });

  it("flame.2: escapes names", () => {
    expect(flameGraph(toFrames(profile, 500), "a & b"))
      .to.include("write&lt;T>")
      .and.include("a &amp; b");
  });
});
