// Collect and timeline: the table and the picture show what the run recorded.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { check } from "../../checker/check.ts";
import { checkFolder, FILES } from "../../checker/folder.ts";
import { encodeRecord } from "../../checker/record.ts";
import { goodRun } from "../../checker/test/good-run.ts";
import { tableOf } from "../collect.ts";
import { rowsNamed } from "../plan.ts";
import { summaryOf } from "../summary.ts";
import { drawTimeline } from "../timeline.ts";

const about = { command: "make chaos SEED=1", seed: 1 };
const rest = { folder: "", plan: [], complaints: [], slipMs: 0, skipped: 0 };
const services = {
  staleRefused: 1,
  fenced: 1,
  linesDropped: 0,
  falseAlarms: 0,
  slowDemoted: 2,
  holesRepaired: 3,
};

describe("Chaos report", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "parley-chaos-report-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("run.2: turns two runs into one table with a row for each fault", () => {
    const run = summaryOf({ ...rest, report: check(goodRun(5)), services }, about);
    const text = tableOf([run, run]);
    const times = run.faults.length * 2;
    expect(text).to.contain(`| F2 | ${rowsNamed(["F2"])[0]!.what} | ${times} |`);
    expect(text).to.contain(`${(run.counts.acked * 2).toLocaleString("en")} messages`);
    expect(text).to.contain("no invariant broken");
    expect(text).to.contain("staleRefused 2");
  });

  it("I1: judges a saved folder like the run itself, and draws it", () => {
    const run = goodRun(6);
    const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
    writeFileSync(join(folder, FILES.records), lines(run.records.map(encodeRecord)));
    writeFileSync(join(folder, FILES.archive), lines(run.archive));
    writeFileSync(join(folder, FILES.log), lines(run.log.map((entry) => JSON.stringify(entry))));
    writeFileSync(join(folder, FILES.pages), lines(run.pages));
    const report = checkFolder(folder);
    expect(report).to.deep.equal(check(run));
    const drawing = drawTimeline(folder, report);
    expect(drawing.match(/class="b"/g)).to.have.length(report.faults.length);
    expect(drawing).to.not.contain("NaN");
  });
});
