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

describe("Here", () => {
  it("A4: the whole truth is not told again to those who know it, and is when it says anything new", () => {
    const here = new PresenceFilter();
    here.greeted([ada], true);
    expect(here.tells(all(ada))).to.equal(false);
    expect(here.tells({ join: [bob], here: 2 })).to.equal(true);
    here.greeted([ada, bob], false);
    expect(here.tells(all(bob, ada))).to.equal(false);
    expect(here.tells(all(ada))).to.equal(true); // Bob's leave was lost.
    expect(here.tells(all(ada))).to.equal(false);
    expect(here.tells(all(eve))).to.equal(true);
  });

  it("A4: one member that missed a frame, or was told another list, and all are told again", () => {
    const here = new PresenceFilter();
    here.greeted([ada], true);
    here.missed();
    expect(here.tells(all(ada))).to.equal(true);
    here.greeted([ada, bob], false);
    expect(here.tells(all(ada))).to.equal(true);
    expect(here.tells(all(ada))).to.equal(false);
  });

  it("A2: a count that is as it was is not told again", () => {
    const here = new PresenceFilter();
    here.greeted(undefined, true);
    const here300 = { here: PRESENCE_NAMES_MAX + 100 };
    expect(here.tells(here300)).to.equal(true);
    expect(here.tells(here300)).to.equal(false);
    here.greeted(undefined, false);
    expect(here.tells(here300)).to.equal(true);
    expect(here.tells({ here: PRESENCE_NAMES_MAX + 99 })).to.equal(true);
  });

  it("presence-filter.1: an empty list is a whole truth like any other", () => {
    const here = new PresenceFilter();
    expect(here.tells({ all: true }), "the first").to.equal(true);
    expect(here.tells({ all: true })).to.equal(false);
    expect(here.tells({ join: [ada], here: 1 })).to.equal(true);
    expect(here.tells({ leave: [ada], here: 0 })).to.equal(true);
    expect(here.tells({ all: true })).to.equal(false);
  });

  it("presence-filter.1: names that come or go change the list, unless the count says that others did, too", () => {
    const here = new PresenceFilter();
    here.greeted([ada, bob], true);
    expect(here.tells({ join: [eve], leave: [ada], here: 2 })).to.equal(true);
    expect(here.tells(all(bob, eve))).to.equal(false);
    expect(here.tells({ leave: [eve], here: 2 }), "an announcement was lost").to.equal(true);
    expect(here.tells(all(bob))).to.equal(true);
  });

  it("presence-filter.2: a count is as good as none after names, after a list, and after a member missed it", () => {
    const count = { here: 300 };
    const news: ((here: PresenceFilter) => unknown)[] = [
      (here) => here.tells({ join: [ada], here: 301 }),
      (here) => here.tells(all(ada, bob)),
      (here) => here.missed(),
      (here) => here.greeted(undefined, false),
      (here) => here.greeted([ada], true),
    ];
    for (const [n, other] of news.entries()) {
      const here = new PresenceFilter();
      here.tells(count);
      expect(here.tells(count)).to.equal(false);
      other(here);
      expect(here.tells(count), `${n}`).to.equal(true);
    }
    const here = new PresenceFilter();
    here.tells({});
    expect(here.tells({}), "without a count").to.equal(true);
  });

  it("presence-filter.2: a member that is greeted with another list, or with none, makes the next truth new", () => {
    for (const users of [[ada], [ada, eve], [ada, bob, eve], undefined]) {
      const here = new PresenceFilter();
      here.greeted([ada, bob], true);
      here.greeted(users, false);
      expect(here.tells(all(ada, bob)), users?.join() ?? "none").to.equal(true);
      expect(here.tells(all(ada, bob))).to.equal(false);
    }
    const first = new PresenceFilter();
    first.greeted([ada, bob], true);
    first.greeted(undefined, true);
    expect(first.tells(all(ada, bob))).to.equal(true);
    const alone = new PresenceFilter();
    alone.greeted([ada], true);
    alone.greeted([bob], true);
    expect([alone.tells(all(bob)), alone.tells(all(ada))]).to.deep.equal([false, true]);
  });

  it("A4: whatever is lost on the way here, after the next whole truth every member's roster is true", () => {
    const user = fc.constantFrom(..."abcd".split("").map((name) => name as UserId));
    const move = fc.record({ user, isLost: fc.boolean(), isRepeat: fc.boolean() });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 30, size: "max" }), (moves) => {
        const truth = new Set<UserId>();
        const here = new PresenceFilter();
        const rosters: Roster[] = [];
        const pass = (frame: PresenceFrame): void => {
          if (here.tells(frame)) for (const roster of rosters) roster.onPresence(frame);
        };
        const greet = (): void => {
          const roster = new Roster();
          roster.begin(truth.size);
          roster.onPresence(all(...truth));
          rosters.push(roster);
          here.greeted([...truth], rosters.length === 1);
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
