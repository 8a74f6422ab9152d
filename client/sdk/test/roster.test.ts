// The roster: what presence frames tell, and how the whole truth corrects it.

import { expect } from "chai";
import { Roster } from "../core/roster.ts";

describe("Roster", () => {
  it("A5: names that are all there are replace what was known, and tell only what changed", () => {
    const roster = new Roster();
    roster.begin(2);
    roster.onPresence({ join: ["ada", "bob"], here: 2 });
    // Bob's leave and Eve's join were lost on the way.
    const change = roster.onPresence({ join: ["ada", "eve"], here: 2, all: true });
    expect(change).to.deep.include({ joined: ["eve"], left: ["bob"], here: 2 });
    expect([...roster.users]).to.deep.equal(["ada", "eve"]);
    expect(roster.onPresence({ join: ["ada", "eve"], here: 2, all: true })).to.equal(undefined);
  });
});
