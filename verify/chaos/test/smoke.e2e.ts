// Chaos smoke: the shortest chaos run that kills processes and pauses readers, with the checker's
// verdict.
//
// The deadlines of the fault table are multiplied here, because a machine that runs a whole test
// suite at the same time must not decide about them. `make chaos` measures them; this run shows
// that nothing is lost and that every client is served again.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rowsNamed } from "../plan.ts";
import { runChaos } from "../run.ts";

/** Enough for each of the four faults once. */
const SECONDS = 28;
const FAULTS = ["F1", "F2", "F4-kill", "F18"];
const PATIENCE = 20;

describe("Chaos smoke", () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-chaos-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("I1, I13: no invariant breaks when a gateway, a room node and persistence are killed and readers are paused", async function () {
    this.timeout(240_000);
    const output: string[] = [];
    // Four times 3 s with rests fit once: each fault comes once.
    const rows = rowsNamed(FAULTS).map((row) => ({ ...row, costMs: 3_000 }));
    const { report, plan, complaints, services, folder } = await runChaos({
      seed: 1,
      seconds: SECONDS,
      rows,
      rooms: 40,
      rate: 200,
      nats: 1,
      sleepers: 20,
      dir,
      fakeTimeLibrary: undefined,
      patience: PATIENCE,
      quietMs: 7_000,
      mustAllHappen: false,
      endsWithPlan: true,
      say: (line) => output.push(line),
    });
    const { counts, violations, faults, sometimes } = report;
    console.log(`      ${JSON.stringify({ ...counts, ...sometimes, ...services })}`);
    expect(violations, output.join("\n")).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
    expect(counts.acked).to.equal(counts.sent);
    expect(counts.acked).to.be.above(1_000);
    expect(new Set(plan.map(({ row }) => row.name)).size).to.equal(FAULTS.length);
    expect(faults.map(({ fault }) => fault).sort()).to.deep.equal([...FAULTS].sort());
    // The socket of a paused reader may not fill within these seconds. The full run
    // (`mustAllHappen`) requires it, and readers.e2e.ts sends 50 MB to one.
    expect(sometimes.ownerChanged).to.be.above(0);
    expect(sometimes.resumeReplayed).to.be.above(0);
    expect(existsSync(join(folder, "records.jsonl"))).to.equal(true);
  });
});
