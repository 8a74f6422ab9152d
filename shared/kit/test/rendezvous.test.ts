// Rendezvous hashing: all processes with the same members choose the same owner, and few keys move.

import { expect } from "chai";
import * as fc from "fast-check";
import { rendezvous } from "../rendezvous.ts";

const member = fc.nat(0xffff_ffff).map((n) => `room-${n.toString(36)}`);
const members = fc.uniqueArray(member, { minLength: 1, maxLength: 12 });
const keys = Array.from({ length: 64 }, (_, p) => String(p));

const owners = (list: readonly string[]): (string | undefined)[] =>
  keys.map((key) => rendezvous(key, list));

describe("Rendezvous", () => {
  it("P11: the owner does not depend on the order of the members", () => {
    fc.assert(
      fc.property(
        members.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          expect(owners(shuffled)).to.deep.equal(owners(list));
          for (const owner of owners(list)) expect(list).to.include(owner);
        },
      ),
    );
    expect(rendezvous("1", [])).to.equal(undefined);
  });

  it("P11: a new member takes its share, and no key moves between the others", () => {
    fc.assert(
      fc.property(members, member, (list, newcomer) => {
        fc.pre(!list.includes(newcomer));
        const [before, after] = [owners(list), owners([...list, newcomer])];
        for (const [p, owner] of after.entries()) {
          if (owner !== newcomer) expect(owner).to.equal(before[p]);
        }
      }),
    );
  });

  it("P11: a member that leaves hands only its own keys to the others", () => {
    fc.assert(
      fc.property(fc.uniqueArray(member, { minLength: 2, maxLength: 12 }), (list) => {
        const [departed, ...rest] = list;
        const [before, after] = [owners(list), owners(rest)];
        for (const [p, owner] of before.entries()) {
          if (owner !== departed) expect(after[p]).to.equal(owner);
        }
      }),
    );
  });

  it("P11: shares are even", () => {
    // 200 groups of four give 12,800 choices, so 3,200 are expected for each of the four positions.
    const shares = [0, 0, 0, 0];
    for (let group = 0; group < 200; group++) {
      const list = shares.map((_, i) => `room-${group}x${i}`);
      for (const owner of owners(list)) shares[list.indexOf(owner ?? "")]!++;
    }
    // Four standard deviations (49) to either side.
    for (const share of shares) expect(share).to.be.within(3_000, 3_400);
  });

  it("P11: names that differ in one character get even shares", () => {
    const list = ["room-a", "room-b", "room-c", "room-d"];
    const many = Array.from({ length: 4_000 }, (_, p) => String(p));
    const counts = new Map(list.map((name) => [name, 0]));
    for (const key of many) {
      const owner = rendezvous(key, list) ?? "";
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    for (const [name, count] of counts) expect(count, name).to.be.within(860, 1_140);
  });
});
