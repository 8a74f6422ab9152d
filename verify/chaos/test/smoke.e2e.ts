// Chaos smoke: the shortest run of chaos that still kills and puts to sleep, judged by the checker.
//
// The deadlines of the fault table are multiplied here: a machine that runs a whole test suite beside
// it must not decide about them. `make chaos` measures; this proves that nothing is lost and that all
// come back.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rowsNamed } from "../plan.ts";
import { runChaos } from "../run.ts";

/** For the plan's arithmetic: all four once. */
const SECONDS = 28;
const FAULTS = ["F1", "F2", "F4-kill", "F18"];
const PATIENCE = 20;

describe("Chaos smoke", () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "parley-chaos-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it("I1, I13: a gateway, a room node and persistence are killed, readers sleep, and every promise holds", async function () {
    this.timeout(240_000);
    const said: string[] = [];
    // Four times 3 s and a rest fit once: all four are done, none twice.
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
      say: (line) => said.push(line),
    });
    const { counts, violations, faults, sometimes } = report;
    console.log(`      ${JSON.stringify({ ...counts, ...sometimes, ...services })}`);
    expect(violations, said.join("\n")).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
    expect(counts.acked).to.equal(counts.sent);
    expect(counts.acked).to.be.above(1_000);
    expect(new Set(plan.map(({ row }) => row.name)).size).to.equal(FAULTS.length);
    expect(faults.map(({ fault }) => fault).sort()).to.deep.equal([...FAULTS].sort());
    // Whether a sleeper's socket fills within these seconds is the machine's business; the full run
    // (`mustAllHappen`) demands it, and the test of readers that are behind sends 50 MB to one.
    expect(sometimes.ownerChanged).to.be.above(0);
    expect(sometimes.resumeReplayed).to.be.above(0);
    expect(existsSync(join(folder, "records.jsonl"))).to.equal(true);
  });
});
