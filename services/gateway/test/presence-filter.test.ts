import { expect } from "chai";
import * as fc from "fast-check";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import { PRESENCE_NAMES_MAX } from "#shared/protocol/limits.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";
import { Roster } from "#client/sdk/core/roster.ts";
import { PresenceFilter } from "../core/presence-filter.ts";

const room = "general" as RoomId;
const [ada, bob, eve] = ["ada", "bob", "eve"] as UserId[] as [UserId, UserId, UserId];

function all(...join: UserId[]): PresenceFrame {
  return { t: "presence", room, join, here: join.length, all: true };
}

describe("PresenceFilter", () => {
  it("A4: a complete list is not written again to members that have it, and is with any change", () => {
    const here = new PresenceFilter();
    here.onListSent([ada], true);
    expect(here.passes(all(ada))).to.equal(false);
    expect(here.passes({ join: [bob], here: 2 })).to.equal(true);
    here.onListSent([ada, bob], false);
    expect(here.passes(all(bob, ada))).to.equal(false);
    expect(here.passes(all(ada))).to.equal(true); // Bob's leave was lost.
    expect(here.passes(all(ada))).to.equal(false);
    expect(here.passes(all(eve))).to.equal(true);
  });

  it("A4: after one member missed a frame, or received another list, all members receive the next list", () => {
    const here = new PresenceFilter();
    here.onListSent([ada], true);
    here.invalidate();
    expect(here.passes(all(ada))).to.equal(true);
    here.onListSent([ada, bob], false);
    expect(here.passes(all(ada))).to.equal(true);
    expect(here.passes(all(ada))).to.equal(false);
  });

  it("A2: an unchanged count is not written again", () => {
    const here = new PresenceFilter();
    here.onListSent(undefined, true);
    const here300 = { here: PRESENCE_NAMES_MAX + 100 };
    expect(here.passes(here300)).to.equal(true);
    expect(here.passes(here300)).to.equal(false);
    here.onListSent(undefined, false);
    expect(here.passes(here300)).to.equal(true);
    expect(here.passes({ here: PRESENCE_NAMES_MAX + 99 })).to.equal(true);
  });

  it("presence-filter.1: an empty list is a complete list like any other", () => {
    const here = new PresenceFilter();
    expect(here.passes({ all: true }), "the first").to.equal(true);
    expect(here.passes({ all: true })).to.equal(false);
    expect(here.passes({ join: [ada], here: 1 })).to.equal(true);
    expect(here.passes({ leave: [ada], here: 0 })).to.equal(true);
    expect(here.passes({ all: true })).to.equal(false);
  });

  it("presence-filter.1: joins and leaves change the list, unless the count shows that others changed it too", () => {
    const here = new PresenceFilter();
    here.onListSent([ada, bob], true);
    expect(here.passes({ join: [eve], leave: [ada], here: 2 })).to.equal(true);
    expect(here.passes(all(bob, eve))).to.equal(false);
    expect(here.passes({ leave: [eve], here: 2 }), "an announcement was lost").to.equal(true);
    expect(here.passes(all(bob))).to.equal(true);
  });

  it("presence-filter.2: a count passes after names, after a list, and after a member missed a frame", () => {
    const count = { here: 300 };
    const news: ((here: PresenceFilter) => unknown)[] = [
      (here) => here.passes({ join: [ada], here: 301 }),
      (here) => here.passes(all(ada, bob)),
      (here) => here.invalidate(),
      (here) => here.onListSent(undefined, false),
      (here) => here.onListSent([ada], true),
    ];
    for (const [n, other] of news.entries()) {
      const here = new PresenceFilter();
      here.passes(count);
      expect(here.passes(count)).to.equal(false);
      other(here);
      expect(here.passes(count), `${n}`).to.equal(true);
    }
    const here = new PresenceFilter();
    here.passes({});
    expect(here.passes({}), "without a count").to.equal(true);
  });

  it("presence-filter.2: a member that joins with another list, or with none, lets the next complete list pass", () => {
    for (const users of [[ada], [ada, eve], [ada, bob, eve], undefined]) {
      const here = new PresenceFilter();
      here.onListSent([ada, bob], true);
      here.onListSent(users, false);
      expect(here.passes(all(ada, bob)), users?.join() ?? "none").to.equal(true);
      expect(here.passes(all(ada, bob))).to.equal(false);
    }
    const first = new PresenceFilter();
    first.onListSent([ada, bob], true);
    first.onListSent(undefined, true);
    expect(first.passes(all(ada, bob))).to.equal(true);
    const alone = new PresenceFilter();
    alone.onListSent([ada], true);
    alone.onListSent([bob], true);
    expect([alone.passes(all(bob)), alone.passes(all(ada))]).to.deep.equal([false, true]);
  });

  it("A4: after lost presence frames, every member's list is correct from the next complete list on", () => {
    const user = fc.constantFrom(..."abcd".split("").map((name) => name as UserId));
    const move = fc.record({ user, isLost: fc.boolean(), isRepeat: fc.boolean() });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30, size: "max" }), (moves) => {
        const truth = new Set<UserId>();
        const here = new PresenceFilter();
        const rosters: Roster[] = [];
        const pass = (frame: PresenceFrame): void => {
          if (here.passes(frame)) for (const roster of rosters) roster.onPresence(frame);
        };
        const greet = (): void => {
          const roster = new Roster();
          roster.begin(truth.size);
          roster.onPresence(all(...truth));
          rosters.push(roster);
          here.onListSent([...truth], rosters.length === 1);
        };
        greet();
        for (const { user: who, isLost, isRepeat } of moves) {
          if (isRepeat) {
            if (!isLost) pass(all(...truth));
            continue;
          }
          const isHere = truth.delete(who);
          if (!isHere) truth.add(who);
          const names = isHere ? { leave: [who] } : { join: [who] };
          if (!isLost) pass({ t: "presence", room, ...names, here: truth.size });
          if (!isHere && who < "c") greet(); // Their gateway is this one.
        }
        pass(all(...truth));
        for (const roster of rosters) {
          expect([...roster.users].toSorted()).to.deep.equal([...truth].toSorted());
          expect(roster.here).to.equal(truth.size);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
