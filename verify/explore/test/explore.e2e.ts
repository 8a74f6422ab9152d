// Explorer tests: the command visits all states within small bounds, and finds planted bugs.
//
// The bounds are numbers of states and not seconds, so a busy machine visits the same states.

import { expect } from "chai";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { printFigure } from "#tools/test-run/figure.ts";
import { copyGraph, fingerprint } from "../object-graph.ts";
import { ackViolation, logViolation, validLines } from "../invariants.ts";

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** The output of the explorer. Its exit code is 1 after a violation. */
async function explore(...bounds: string[]): Promise<string> {
  const args = ["--import", path("visible-fields.ts"), path("main.ts"), ...bounds];
  const exited = await run(process.execPath, args).catch((error: unknown) => error);
  return (exited as { readonly stdout: string }).stdout;
}

describe("Explorer", () => {
  for (const bounds of [
    ["SENDS=1", "LOSSES=1"],
    ["SENDS=1", "LOSSES=0", "DRAINS=1", "RESENDS=1"],
    ["SENDS=1", "LOSSES=0", "TICKS=2", "CLAIMS=1"],
  ]) {
    it(`O1, O2, O4, O5, P1, P15: every state within ${bounds.join(" ")} fulfils the rules`, async () => {
      const output = await explore(...bounds);
      expect(output).to.match(/all states/);
      expect(output).not.to.contain("VIOLATION");
      printFigure(output.split("\n")[1] ?? "");
    });
  }

  for (const [bug, rule] of [
    ["skip-fence", "O1"],
    ["ack-before-commit", "O2"],
  ] as const) {
    it(`O1, O2: finds the planted bug ${bug}, which violates ${rule}`, async () => {
      expect(await explore(`PLANT=${bug}`, "STATES=100000")).to.contain(`VIOLATION ${rule}`);
    });
  }

  it("P15: valid lines exclude the commits of a fenced owner and all commits behind them", () => {
    const commit = (epoch: number, seq: number): string =>
      `{"kind":"commit","epoch":${epoch}}\n{"seq":${seq},"id":"m${seq}"}`;
    const claim = '{"kind":"claim"}';
    const log = [claim, commit(1, 1), claim, commit(1, 2), commit(3, 2), claim, commit(6, 2)];
    expect(validLines(log).lines).to.have.length(2);
    expect(logViolation(log)).to.equal(undefined);
    expect(logViolation([...log, commit(6, 2)])).to.contain("O1");
    expect(logViolation([claim, commit(1, 1), commit(1, 2).replace("m2", "m1")])).to.contain("O5");
    expect(ackViolation(log, 3)).to.contain("O2");
    expect(ackViolation(log, 2, "m1")).to.contain("O5");
  });

  it("O1: copies of a state share no object, and different states have different fingerprints", () => {
    const shared = { n: 1 };
    const state = { a: shared, b: shared, map: new Map([["k", [shared]]]), set: new Set([1, 2]) };
    const copy = copyGraph(state);
    expect(fingerprint(copy)).to.equal(fingerprint(state));
    copy.b.n = 2;
    expect(copy.a.n).to.equal(2);
    expect(state.a.n).to.equal(1);
    expect(fingerprint(copy)).not.to.equal(fingerprint(state));
    const turned = { ...state, set: new Set([2, 1]) };
    expect(fingerprint(turned)).not.to.equal(fingerprint(state));
    expect(() => copyGraph({ run: () => 1 })).to.throw("function");
  });
});
