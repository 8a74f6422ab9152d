// The judge is judged: every kind of wrong history is caught, and a right one passes.

import { expect } from "chai";
import { check } from "../check/history.ts";
import type { Evidence, Stored } from "../check/history.ts";

const good: readonly Stored[] = [1, 2, 3].map((seq) => ({ seq, id: `id-${seq}` }));

function evidence(
  changes: { log?: readonly Stored[]; archive?: readonly Stored[]; acked?: Evidence["acked"] } = {},
): Evidence {
  const { log = good, archive = good } = changes;
  const acked = changes.acked ?? good.map(({ seq, id }) => ({ room: "r", id, seq }));
  const dumps = new Map([
    ["log", new Map([["r", log]])],
    ["archive", new Map([["r", archive]])],
  ]);
  return { acked, sent: new Set(["id-1", "id-2", "id-3"]), dumps };
}

describe("The check of a run", () => {
  it("D6: a sound history has no problem", () => {
    expect(check(evidence())).to.deep.equal([]);
  });

  const bad: [string, Evidence][] = [
    ["I1", evidence({ log: good.slice(0, 2), archive: good.slice(0, 2) })],
    ["I1", evidence({ acked: [{ room: "r", id: "id-1", seq: 2 }] })],
    [
      "I1",
      evidence({
        log: [...good, { seq: 4, id: "id-1" }],
        archive: [...good, { seq: 4, id: "id-1" }],
      }),
    ],
    [
      "I2",
      evidence({
        log: [...good, { seq: 4, id: "ghost" }],
        archive: [...good, { seq: 4, id: "ghost" }],
      }),
    ],
    ["I3", evidence({ archive: [good[1]!, good[0]!, good[2]!] })],
    ["I3", evidence({ archive: good.slice(0, 2), acked: [] })],
    ["I3", evidence({ log: good.slice(0, 2), acked: [] })],
    ["I4", evidence({ log: [good[0]!, good[2]!], acked: [] })],
    [
      "I6",
      evidence({
        acked: [
          { room: "r", id: "id-1", seq: 1 },
          { room: "r", id: "id-1", seq: 2 },
        ],
      }),
    ],
  ];
  bad.forEach(([invariant, history], index) => {
    it(`D6: bad history ${index + 1} is caught as ${invariant}`, () => {
      expect(check(history).some((problem) => problem.startsWith(invariant))).to.equal(true);
    });
  });
});
