import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { REPOSITORY } from "#infra/embedded/service-process.ts";
import { modeLine, publish, roundLine } from "../results.ts";
import type { RoundResult } from "../round.ts";

const ROUND: RoundResult = {
  rtoMs: [16_000, 18_000],
  sdkRtoMs: [17_000],
  rpo: 0,
  acked: 2_000,
  ackMs: [10, 30],
  lastOldMs: -4,
  firstNewMs: 15_400,
  violations: [],
  surprises: [],
  refusals: [],
  promotedMs: 9_000,
  rejoinedMs: 5_000,
};
const RESULT = { mode: "stretched", rttMs: 20, cut: "both", rounds: [ROUND] };
const ROW =
  "| stretched | 20 ms | both | 1 | 10.0 ms / 30.0 ms | 0 of 2,000 | 16.0 s / 18.0 s / 18.0 s | " +
  "17.0 s / 17.0 s / 17.0 s | " +
  "9.0 s / 9.0 s | 4 ms before the cut | 15.4 s after the cut | 5.0 s / 5.0 s |";
const EMPTY = "text\n<!-- begin: make drill-region -->\n<!-- end: make drill-region -->\nmore";

function rowsOf(page: string): string[] {
  return page
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
}

describe("Results of the region drill", () => {
  it("regions/results.1: a run replaces the rows of its mode and round trip, and keeps the others", () => {
    const once = publish(EMPTY, [RESULT]);
    expect(rowsOf(once)).to.deep.equal([ROW]);
    const twice = publish(once, [{ ...RESULT, rttMs: 0 }]);
    expect(rowsOf(twice)).to.have.length(2);
    expect(rowsOf(twice)).to.include(ROW);
    const again = publish(twice, [{ ...RESULT, rounds: [{ ...ROUND, rpo: 3 }, ROUND] }]);
    expect(rowsOf(again)).to.have.length(2);
    expect(again).to.contain("| 3 of 4,000; a round at most 3 |");
    expect(again.startsWith("text\n")).to.equal(true);
    expect(again.endsWith("more")).to.equal(true);
  });

  it("regions/results.1: a page without the two lines is refused, and the real page has them", () => {
    expect(() => publish("text", [RESULT])).to.throw("begin: make drill-region");
    const page = readFileSync(join(REPOSITORY, "docs/operating/regions.md"), "utf8");
    expect(rowsOf(publish(page, [RESULT]))).to.include(ROW);
  });

  it("regions/results.1: a round and a mode are one line each at the terminal", () => {
    expect(roundLine("round 1", ROUND)).to.contain("RPO 0 of 2000 messages; promoted after 9.0 s");
    expect(modeLine(RESULT)).to.contain(
      "with the SDK p50 17.0 s p99 17.0 s max 17.0 s; RPO 0 of 2,000",
    );
  });
});
