// Split pauses: the waits of rooms in a split under kills, on virtual time.

import { expect } from "chai";
import { splitPauses } from "../split-pauses.ts";

/** In it the killed persistence process has a split to archive. */
const SEED = 102;
/** The detection of a dead process is the rest of the pause. */
const MAX_MS = 400;

describe("Split pauses", () => {
  it("P30, D15, split-pauses.1: rooms wait for no timeout of a second when a room node and a persistence process are killed", async () => {
    const { pauses, findings, splits } = await splitPauses(SEED, ["room", "persistence"]);
    expect(findings).to.deep.equal([]);
    expect(splits).to.equal(4);
    expect(Math.max(...pauses)).to.be.below(MAX_MS);
  });
});
