// The region drill, one round of each mode with one term.
//
// The modes in which both regions serve take minutes: `make drill-region MODE=both`. The tests in
// verify/e2e/region-homes.e2e.ts cover their rules.

import { expect } from "chai";
import { skipTest } from "#tools/test-run/skip.ts";
import { runDrill } from "../drill.ts";

describe("Two regions", function () {
  this.timeout(300_000);

  // The drill has a third mode, which needs no code of the services.
  for (const [mode, title] of [
    [
      "synchronous",
      "T1, T4, T5: synchronous: no acknowledged message is missing after the loss of a region",
    ],
    ["asynchronous", "T1, T5: asynchronous: only what the lost region alone knew is missing"],
  ] as const) {
    it(title, async function () {
      const lines: string[] = [];
      const outcome = await runDrill(mode, {
        rounds: 1,
        seconds: 2,
        rttMs: 4,
        cut: "peers",
        print: (line) => lines.push(line),
        say: (line) => lines.push(line),
      });
      if (outcome.kind === "unavailable") {
        skipTest(this, `no network of regions (${outcome.reason})`);
      }
      // Times prove nothing on a busy machine; the drill judges them.
      const { violations, rpo } = outcome.result.rounds[0] ?? {};
      expect(violations, lines.join("\n")).to.deep.equal([]);
      if (mode === "synchronous") expect(rpo, lines.join("\n")).to.equal(0);
    });
  }
});
