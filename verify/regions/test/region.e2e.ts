// The region drill, one round of each mode.

import { expect } from "chai";
import { MODES, runDrill } from "../drill.ts";

describe("Two regions", function () {
  this.timeout(300_000);

  for (const mode of MODES) {
    it(`O2, D6: ${mode}: no acknowledged message is missing after the loss of a region`, async function () {
      const lines: string[] = [];
      const outcome = await runDrill(mode, {
        rounds: 1,
        seconds: 2,
        rttMs: 4,
        cut: "both",
        print: (line) => lines.push(line),
        say: (line) => lines.push(line),
      });
      if (outcome.kind === "unavailable") {
        console.log(`      skipped: no network of regions (${outcome.reason})`);
        this.skip();
      }
      // Times prove nothing on a busy machine; the drill judges them.
      const { violations, rpo } = outcome.result.rounds[0] ?? {};
      expect(violations, lines.join("\n")).to.deep.equal([]);
      expect(rpo, lines.join("\n")).to.equal(0);
    });
  }
});
