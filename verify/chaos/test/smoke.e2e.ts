// Chaos smoke: the shortest chaos run that kills processes, with the checker's verdict.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { printFigure } from "#tools/test-run/figure.ts";
import { rowsNamed } from "../plan.ts";
import { expectClean, runShort } from "./short-run.ts";

/** Enough for each of the four faults once. */
const SECONDS = 28;
const FAULTS = ["F1", "F2", "F4-kill", "F27"];

describe("Chaos smoke", () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-chaos-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("I1, I13: no invariant breaks when a gateway, a room node, persistence and webhooks are killed", async function () {
    this.timeout(240_000);
    // Four times 3 s with rests fit once: each fault comes once.
    const rows = rowsNamed(FAULTS).map((row) => ({ ...row, costMs: 3_000 }));
    const run = await runShort({ seconds: SECONDS, rows, dir });
    const { report, plan, services, folder } = run;
    const { counts, faults, sometimes } = report;
    printFigure(JSON.stringify({ ...counts, ...sometimes, ...services }));
    expectClean(run);
    expect(new Set(plan.map(({ row }) => row.name)).size).to.equal(FAULTS.length);
    expect(faults.map(({ fault }) => fault).sort()).to.deep.equal([...FAULTS].sort());
    // Paused readers need minutes: the full run has them, and readers.e2e.ts sends 50 MB to one.
    expect(sometimes.ownerChanged).to.be.above(0);
    expect(sometimes.resumeReplayed).to.be.above(0);
    expect(sometimes.memberRemoved).to.be.above(0);
    expect(sometimes.messagesViewed).to.be.above(0);
    expect(sometimes.textErased).to.be.above(0);
    expect(sometimes.roomsListed).to.be.above(0);
    expect(sometimes.positionGrew).to.be.above(0);
    expect(sometimes.guestEntered).to.be.above(0);
    expect(sometimes.writeRefused).to.be.above(0);
    expect(sometimes.senderSlowed).to.be.above(0);
    expect(sometimes.slowModeJudged).to.be.above(0);
    expect(sometimes.hookDelivered).to.be.above(100);
    expect(existsSync(join(folder, "records.jsonl"))).to.equal(true);
  });
});
