// Roster, by example: presence frames, complete lists, and typing.

import { expect } from "chai";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import { TYPING_MAX, TYPING_SHOWN_MS } from "../core/bounds.ts";
import { Roster } from "../core/roster.ts";

function rosterOf(...users: string[]): Roster {
  const roster = new Roster();
  roster.begin(users.length);
  roster.onPresence({ join: users, here: users.length });
  return roster;
}

describe("Roster", () => {
  it("A4: a complete list replaces the known names, and only the difference is reported", () => {
    const roster = rosterOf("ada", "bob");
    // Bob's leave and Eve's join were lost.
    const change = roster.onPresence({ join: ["ada", "eve"], here: 2, all: true });
    expect(change).to.deep.include({ joined: ["eve"], left: ["bob"], here: 2 });
    expect([...roster.users]).to.deep.equal(["ada", "eve"]);
    expect(roster.onPresence({ join: ["ada", "eve"], here: 2, all: true })).to.equal(undefined);
  });

  it("A2: joins and leaves change the known names, and the change lists all users", () => {
    const roster = rosterOf("ada");
    expect(roster.onPresence({ join: ["bob"], here: 2 })).to.deep.equal({
      users: new Set(["ada", "bob"]),
      here: 2,
      joined: ["bob"],
      left: [],
    });
    expect(roster.onPresence({ leave: ["ada"], here: 1 })).to.deep.equal({
      users: new Set(["bob"]),
      here: 1,
      joined: [],
      left: ["ada"],
    });
    expect(roster.onPresence({ leave: ["no-responders"] }), "nothing changed").to.equal(undefined);
  });

  it("roster.1: the first names after a join replace the known names, later names do not", () => {
    const roster = rosterOf("ada", "bob");
    roster.begin(1);
    expect(roster.here).to.equal(1);
    expect([...roster.users], "until then the old names stay").to.deep.equal(["ada", "bob"]);
    expect(roster.onPresence({ leave: ["bob"] }), "not the names yet").to.deep.include({
      left: ["bob"],
    });
    expect(roster.onPresence({ join: ["eve"], here: 1 })).to.deep.include({
      joined: ["eve"],
      left: ["ada"],
    });
    roster.onPresence({ join: ["fay"], here: 2 });
    expect([...roster.users]).to.deep.equal(["eve", "fay"]);
  });

  it("A2: without a count, joins and leaves change the last count", () => {
    const roster = new Roster();
    roster.begin(300);
    expect(roster.onPresence({ join: ["ada", "bob"] })).to.deep.include({ here: 302 });
    expect(roster.onPresence({ leave: ["ada"] })).to.deep.include({ here: 301 });
    const small = rosterOf("ada");
    small.begin(0);
    expect(
      small.onPresence({ join: ["ada", "bob"] }),
      "never fewer than the names",
    ).to.deep.include({
      here: 2,
    });
  });

  it("roster.2: a count above PRESENCE_NAMES_MAX removes the names, a lower count does not", () => {
    const roster = rosterOf("ada");
    expect(roster.onPresence({ here: PRESENCE_NAMES_MAX })).to.deep.include({
      here: PRESENCE_NAMES_MAX,
      left: [],
    });
    expect(roster.users.size).to.equal(1);
    expect(roster.onPresence({ here: PRESENCE_NAMES_MAX + 1 })).to.deep.include({ left: ["ada"] });
    expect(roster.users.size).to.equal(0);
    const named = rosterOf("ada");
    named.onPresence({ join: ["bob"], here: PRESENCE_NAMES_MAX + 1 });
    expect(named.users.size, "names came with it").to.equal(2);
    named.onPresence({ leave: ["bob"], here: PRESENCE_NAMES_MAX + 1 });
    expect(named.users.size).to.equal(1);
  });

  it("roster.3: typing lasts for six seconds after the last frame, and ends once", () => {
    const roster = new Roster();
    expect(roster.wakeAt).to.equal(undefined);
    expect(roster.onTyping("bob", true, 0)).to.deep.equal({
      user: "bob",
      on: true,
      users: new Set(["bob"]),
    });
    roster.onTyping("ada", true, 1_000);
    expect(roster.wakeAt).to.equal(TYPING_SHOWN_MS);
    roster.onTyping("bob", true, 2_000);
    expect(roster.wakeAt).to.equal(1_000 + TYPING_SHOWN_MS);
    expect(roster.tick(1_000 + TYPING_SHOWN_MS - 1)).to.deep.equal([]);
    expect(roster.tick(1_000 + TYPING_SHOWN_MS)).to.deep.equal([
      { user: "ada", on: false, users: new Set(["bob"]) },
    ]);
    expect(roster.onTyping("bob", false, 0)).to.deep.equal({
      user: "bob",
      on: false,
      users: new Set(),
    });
    expect(roster.onTyping("bob", false, 0)).to.equal(undefined);
    expect(roster.onMessage("bob")).to.equal(undefined);
  });

  it("roster.3: a message ends the typing of its sender, and a disconnect that of all users", () => {
    const roster = new Roster();
    for (const user of ["ada", "bob", "eve"]) roster.onTyping(user, true, 0);
    expect(roster.onMessage("bob")).to.deep.include({ user: "bob", on: false });
    expect(roster.stopTyping().map(({ user }) => user)).to.deep.equal(["ada", "eve"]);
    expect(roster.stopTyping()).to.deep.equal([]);
  });

  it("roster.3: beyond TYPING_MAX no further user is reported, and known ones continue", () => {
    const roster = new Roster();
    for (let n = 0; n < TYPING_MAX; n++) {
      expect(roster.onTyping(`user-${n}`, true, 0)).not.to.equal(undefined);
    }
    expect(roster.onTyping("over", true, 0)).to.equal(undefined);
    expect(roster.onTyping("user-0", true, 0)).not.to.equal(undefined);
    roster.onMessage("user-1");
    expect(roster.onTyping("over", true, 0)).not.to.equal(undefined);
  });
});
