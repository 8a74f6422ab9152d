// The explorer as it is run by hand: whole within small bounds, and finding what was planted.
//
// Bounds are states and not seconds, so a busy machine explores as much as a quiet one.

import { expect } from "chai";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { copyGraph, fingerprint } from "../object-graph.ts";
import { faultOfAck, faultOfLog, validLines } from "../invariants.ts";

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** What the explorer prints; it ends with 1 when a rule is broken. */
async function explore(...bounds: string[]): Promise<string> {
  const args = ["--import", path("visible-fields.ts"), path("main.ts"), ...bounds];
  const ended = await run(process.execPath, args).catch((error: unknown) => error);
  return (ended as { readonly stdout: string }).stdout;
}

describe("Every interleaving of two owners, a gateway and a log", () => {
  for (const bounds of [
    ["SENDS=1", "LOSSES=1"],
    ["SENDS=1", "LOSSES=0", "DRAINS=1", "RESENDS=1"],
    ["SENDS=1", "LOSSES=0", "TICKS=2", "CLAIMS=1"],
  ]) {
    it(`O1, O2, O4, O5, P1, P15: hold in every state within ${bounds.join(" ")}`, async () => {
      const said = await explore(...bounds);
      expect(said).to.match(/all of them/);
      expect(said).not.to.contain("BROKEN");
      console.log(`      ${said.split("\n")[1]}`);
    });
  }

  for (const [plant, rule] of [
    ["skip-fence", "O1"],
    ["ack-before-commit", "O2"],
  ] as const) {
    it(`O1, O2: the explorer finds ${plant}, which breaks ${rule}`, async () => {
      expect(await explore(`PLANT=${plant}`, "STATES=100000")).to.contain(`BROKEN ${rule}`);
    });
  }

  it("P15: the judgement leaves out commits of a fenced owner and all behind them", () => {
    const commit = (epoch: number, seq: number): string =>
      `{"kind":"commit","epoch":${epoch}}\n{"seq":${seq},"id":"m${seq}"}`;
    const own = '{"kind":"claim"}';
    const log = [own, commit(1, 1), own, commit(1, 2), commit(3, 2), own, commit(6, 2)];
    expect(validLines(log).lines).to.have.length(2);
    expect(faultOfLog(log)).to.equal(undefined);
    expect(faultOfLog([...log, commit(6, 2)])).to.contain("O1");
    expect(faultOfLog([own, commit(1, 1), commit(1, 2).replace("m2", "m1")])).to.contain("O5");
    expect(faultOfAck(log, 3)).to.contain("O2");
    expect(faultOfAck(log, 2, "m1")).to.contain("O5");
  });

  it("O1: copies of a state share nothing, and differ in fingerprint when they differ", () => {
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
