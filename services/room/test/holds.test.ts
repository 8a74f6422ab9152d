import { expect } from "chai";
import type { MessageId, UserId } from "#shared/protocol/ids.ts";
import { HOLD_MS, Holds, HOLDS_MAX } from "../core/holds.ts";

const ADA = "ada" as UserId;
const EVE = "eve" as UserId;
const [A, B, C] = ["a", "b", "c"] as [MessageId, MessageId, MessageId];

describe("Holds", () => {
  it("O4: a send that came after the wait for the first one ended still waits for the second", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    const late = HOLD_MS - 100;
    expect(holds.isHeld(ADA, B, late)).to.equal(true);
    holds.hold(ADA, B, late, late);
    expect(holds.isHeld(ADA, C, HOLD_MS + 100)).to.equal(true);
    expect(holds.isHeld(ADA, B, HOLD_MS + 100)).to.equal(false); // holds.3
    expect(holds.isHeld(EVE, C, late)).to.equal(false);
  });

  it("O4: when the first one is back, the next one that was refused is the first", () => {
    const holds = new Holds();
    for (const id of [A, B]) holds.hold(ADA, id, 0, 0);
    expect([A, B, C].map((id) => holds.isHeld(ADA, id, 10))).to.deep.equal([false, true, true]);
    holds.release(ADA, A);
    expect([B, C].map((id) => holds.isHeld(ADA, id, 10))).to.deep.equal([false, true]);
    holds.release(ADA, B);
    expect(holds.isHeld(ADA, C, 10)).to.equal(false);
  });

  it("holds.2: a send that is refused again keeps its place", () => {
    const holds = new Holds();
    for (const id of [A, B, A]) holds.hold(ADA, id, 0, 0);
    expect([A, B].map((id) => holds.isHeld(ADA, id, 10))).to.deep.equal([false, true]);
  });

  it("holds.3: what never comes again holds its sender up once", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    for (let at = 1_000; holds.isHeld(ADA, B, at); at += 1_000) {
      expect(at).to.be.at.most(HOLD_MS);
      holds.hold(ADA, B, at, at);
    }
    holds.release(ADA, B);
    expect(holds.isHeld(ADA, C, HOLD_MS + 1_000)).to.equal(false);
  });

  it("holds.1: the refused sends of a room are bounded, and the oldest sender's go first", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    for (let n = 0; n < HOLDS_MAX; n++) holds.hold(EVE, `id-${n}` as MessageId, 0, 0);
    expect(holds.isHeld(ADA, B, 10)).to.equal(false);
    expect(holds.isHeld(EVE, B, 10)).to.equal(true);
  });

  it("holds.2: one that is refused again after its wait ended keeps its place before those that still wait", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    holds.hold(ADA, B, 4_000, 4_000);
    const late = HOLD_MS + 1_000;
    holds.hold(ADA, A, late, late);
    expect([A, B].map((id) => holds.isHeld(ADA, id, late))).to.deep.equal([false, true]);
  });

  it("holds.3: what came at the end of the wait is not held, and what came a millisecond before is", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 7);
    expect(holds.isHeld(ADA, B, 6 + HOLD_MS)).to.equal(true);
    expect(holds.isHeld(ADA, B, 7 + HOLD_MS)).to.equal(false);
    holds.release(ADA, B); // It was not refused: nothing changes.
    holds.release(EVE, A);
    expect(holds.isHeld(ADA, B, 7)).to.equal(true);
  });

  it("holds.1: refused sends that are not waited for any more do not count", () => {
    const holds = new Holds();
    for (let n = 0; n <= HOLDS_MAX + 9; n++) {
      const now = n * (HOLD_MS + 1);
      holds.hold(EVE, A, now, now);
      holds.hold(ADA, `id-${n}` as MessageId, now, now);
      expect(holds.isHeld(EVE, B, now)).to.equal(true);
    }
  });

  it("holds.1: one that is refused again and again counts once, and one that came back not at all", () => {
    const holds = new Holds();
    const [zed, bob] = ["zed", "bob"] as [UserId, UserId];
    holds.hold(bob, A, 0, 0);
    for (let n = 0; n < 2 * HOLDS_MAX; n++) holds.hold(ADA, A, 0, 0);
    expect(holds.isHeld(bob, B, 10)).to.equal(true);
    holds.release(ADA, A);
    holds.release(bob, A);
    holds.hold(bob, A, 0, 0);
    holds.hold(zed, A, 0, 0);
    const fill = (from: number, to: number): void => {
      for (let n = from; n < to; n++) holds.hold(EVE, `id-${n}` as MessageId, 0, 0);
    };
    const held = (): boolean[] => [bob, zed, EVE].map((sender) => holds.isHeld(sender, B, 10));
    fill(0, HOLDS_MAX - 2);
    expect(held()).to.deep.equal([true, true, true]);
    fill(HOLDS_MAX - 2, HOLDS_MAX - 1);
    expect(held()).to.deep.equal([false, true, true]);
    fill(HOLDS_MAX - 1, HOLDS_MAX);
    expect(held()).to.deep.equal([false, false, true]);
  });
});
