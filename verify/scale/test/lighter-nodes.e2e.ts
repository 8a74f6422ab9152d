// Lighter nodes: seeds with every kind of fault have the same trace with them and without them.

import { expect } from "chai";
import { runSeed } from "../../sim/simulation.ts";
import { lightenNodes } from "../lighter-nodes.ts";

/** Together: kills, pauses, cuts, planned exits and reconnects of room nodes, moves by load. */
const SEEDS = [2, 3, 5, 8, 11, 14, 40] as const;

describe("LighterNodes", () => {
  it("lighter-nodes.2 and lighter-nodes.3: no trace of a run with faults changes", async () => {
    for (const seed of SEEDS) {
      const plain = await runSeed(seed);
      const restore = lightenNodes();
      const light = await runSeed(seed).finally(restore);
      expect(light.fingerprint, `seed ${seed}`).to.equal(plain.fingerprint);
    }
  });
});
