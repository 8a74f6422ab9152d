// Pictures of dashboards: scales, legends and lines.

import { expect } from "chai";
import { axisTo, drawPicture, format, runsOf, withoutZeros } from "../panel-svg.ts";
import type { Picture } from "../panel-svg.ts";
import { legendOf, toSeries } from "../series.ts";

const PICTURE: Picture = {
  title: "Parley: overview",
  note: "a & b",
  from: 100,
  to: 160,
  stepSeconds: 2,
  marks: [{ t: 130, label: "kill <9>" }],
  panels: [
    {
      title: "Sends",
      unit: "ops",
      series: [
        {
          legend: "ok",
          points: [
            { t: 100, value: 1 },
            { t: 102, value: 40 },
          ],
        },
      ],
    },
    { title: "Empty", unit: "s", series: [] },
  ],
};

describe("Pictures of dashboards", () => {
  it("panel-svg.1: a value axis ends at a round number at or above the largest value, after two to five steps", () => {
    expect(axisTo(0)).to.deep.equal({ end: 1, step: 1 });
    expect(axisTo(40)).to.deep.equal({ end: 40, step: 10 });
    expect(axisTo(41)).to.deep.equal({ end: 50, step: 10 });
    expect(axisTo(70 * 2 ** 20, "bytes")).to.deep.equal({ end: 80 * 2 ** 20, step: 20 * 2 ** 20 });
    for (const most of [0.003, 0.99, 1, 7, 19, 101, 12_345, 8e8]) {
      const { end, step } = axisTo(most);
      expect(end, `${most}`).to.be.at.least(most * (1 - 1e-6));
      expect(Math.round(end / step), `${most}`).to.be.within(2, 5);
    }
  });

  it("panel-svg.3: a line has a break where data is missing", () => {
    const at = [0, 2, 4, 12, 14].map((t) => ({ t }));
    expect(runsOf(at, 2).map((run) => run.map(({ t }) => t))).to.deep.equal([
      [0, 2, 4],
      [12, 14],
    ]);
  });

  it("panel-svg.2: counts series that are always 0, and draws them only when there are no others", () => {
    const line = (legend: string, value: number) => ({ legend, points: [{ t: 1, value }] });
    const [a, b, c] = [line("a", 0), line("b", 3), line("c", 0)];
    expect(withoutZeros([a, b, c])).to.deep.equal({ series: [b], zeros: 2 });
    expect(withoutZeros([a, c])).to.deep.equal({ series: [a], zeros: 1 });
    expect(withoutZeros([])).to.deep.equal({ series: [], zeros: 0 });
  });

  it("series.1: a NaN is missing data, and a legend contains the values of its labels", () => {
    const metric = { instance: "room-1" };
    const values = [
      [1, "0.5"],
      [2, "NaN"],
      [3, "+Inf"],
    ] as const;
    expect(toSeries("{{instance}} actors", { metric, values })).to.deep.equal({
      legend: "room-1 actors",
      points: [{ t: 1, value: 0.5 }],
    });
    expect(legendOf("{{nothing}}p99", metric)).to.equal("p99");
  });

  it("panel-svg.1: formats values in their units", () => {
    expect(format(0.0123, "s")).to.equal("12.3 ms");
    expect(format(0.00002, "s")).to.equal("20 µs");
    expect(format(3 * 2 ** 20, "bytes")).to.equal("3 MiB");
    expect(format(0.25, "percentunit")).to.equal("25 %");
    expect([format(1_500, "ops"), format(8, "short"), format(0, "s")]).to.deep.equal([
      "1500/s",
      "8",
      "0",
    ]);
  });

  it("panel-svg.3: a picture has every panel, its marks and the panels without data, escaped", () => {
    const svg = drawPicture(PICTURE);
    expect(svg.match(/<polyline/g)).to.have.length(1);
    expect(svg).to.include("a &amp; b").and.include("kill &lt;9>").and.include("no data");
  });
});
