// Holds: which sends of a sender are refused behind an earlier refused send, and for how long.

import { expect } from "chai";
import type { MessageId, UserId } from "#shared/protocol/ids.ts";
import { HOLD_MS, Holds, HOLDS_MAX } from "../core/holds.ts";

const ADA = "ada" as UserId;
const EVE = "eve" as UserId;
const [A, B, C] = ["a", "b", "c"] as [MessageId, MessageId, MessageId];

describe("Holds", () => {
  it("O4: a send that arrives after the hold of the first refused send still waits for the second", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    const late = HOLD_MS - 100;
    expect(holds.isHeld(ADA, B, late)).to.equal(true);
    holds.hold(ADA, B, late, late);
    expect(holds.isHeld(ADA, C, HOLD_MS + 100)).to.equal(true);
    expect(holds.isHeld(ADA, B, HOLD_MS + 100)).to.equal(false); // holds.3
    expect(holds.isHeld(EVE, C, late)).to.equal(false);
  });

  it("O4: after the first refused send is accepted, the next refused one is the first", () => {
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

  it("holds.3: a send that is never resent delays its sender once", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    for (let at = 1_000; holds.isHeld(ADA, B, at); at += 1_000) {
      expect(at).to.be.at.most(HOLD_MS);
      holds.hold(ADA, B, at, at);
    }
    holds.release(ADA, B);
    expect(holds.isHeld(ADA, C, HOLD_MS + 1_000)).to.equal(false);
  });

  it("holds.1: a sender that is refused with ever new ids loses its own order, and not that of others", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    // Her first send is refused for minutes, so all behind it stay (holds.4).
    for (let n = 0; n < 3 * HOLDS_MAX; n++) {
      const at = n * 100;
      holds.hold(ADA, A, at, at);
      holds.hold(EVE, C, at, at);
      holds.hold(EVE, `id-${n}` as MessageId, at, at);
      expect(holds.isHeld(ADA, B, at)).to.equal(true);
    }
  });

  it("holds.1: among equals, the refused sends of the longest waiting sender are dropped", () => {
    const holds = new Holds();
    const sender = (n: number): UserId => `sender-${n}` as UserId;
    for (let n = 0; n <= HOLDS_MAX; n++) holds.hold(sender(n), A, 0, 0);
    const held = [0, 1, HOLDS_MAX].map((n) => holds.isHeld(sender(n), B, 10));
    expect(held).to.deep.equal([false, true, true]);
  });

  it("holds.2: a send that is refused again after its hold keeps its place before those still held", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    holds.hold(ADA, B, 4_000, 4_000);
    const late = HOLD_MS + 1_000;
    holds.hold(ADA, A, late, late);
    expect([A, B].map((id) => holds.isHeld(ADA, id, late))).to.deep.equal([false, true]);
  });

  it("holds.4: a send whose hold ended between longer holds keeps its place before a later send", () => {
    const holds = new Holds();
    for (const id of [A, B]) holds.hold(ADA, id, 0, 0);
    holds.hold(ADA, C, 100, 100);
    holds.hold(ADA, A, 1_000, 1_000);
    // All are resent after the hold of B, and before those of A and C.
    const again = HOLD_MS + 50;
    for (const id of [A, B, C]) holds.hold(ADA, id, again, again + 500);
    holds.release(ADA, A);
    expect([B, C].map((id) => holds.isHeld(ADA, id, again + 600))).to.deep.equal([false, true]);
  });

  it("holds.3: a send that arrives at the end of the hold passes, and one a millisecond earlier is held", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 7);
    expect(holds.isHeld(ADA, B, 6 + HOLD_MS)).to.equal(true);
    expect(holds.isHeld(ADA, B, 7 + HOLD_MS)).to.equal(false);
    holds.release(ADA, B); // It was not refused, so nothing changes.
    holds.release(EVE, A);
    expect(holds.isHeld(ADA, B, 7)).to.equal(true);
  });

  it("holds.1: refused sends whose hold has ended do not count", () => {
    const holds = new Holds();
    for (let n = 0; n <= HOLDS_MAX + 9; n++) {
      const now = n * (HOLD_MS + 1);
      holds.hold(EVE, A, now, now);
      holds.hold(ADA, `id-${n}` as MessageId, now, now);
      expect([EVE, ADA].map((sender) => holds.isHeld(sender, B, now))).to.deep.equal([true, true]);
    }
  });

  it("holds.1: a send that is refused repeatedly counts once, and an accepted one does not count", () => {
    const holds = new Holds();
    const [zed, bob] = ["zed", "bob"] as [UserId, UserId];
    holds.hold(bob, A, 0, 0);
    for (let n = 0; n < 2 * HOLDS_MAX; n++) holds.hold(ADA, A, 0, 0);
    expect(holds.isHeld(bob, B, 10)).to.equal(true);
    holds.release(ADA, A);
    holds.release(bob, A);
    holds.hold(bob, A, 0, 0);
    holds.hold(zed, A, 0, 0);
    for (let n = 0; n < HOLDS_MAX - 2; n++) holds.hold(EVE, `id-${n}` as MessageId, 0, 0);
    const held = (): boolean[] => [bob, zed, EVE].map((sender) => holds.isHeld(sender, B, 10));
    expect(held()).to.deep.equal([true, true, true]);
    holds.hold(EVE, B, 0, 0);
    expect(held()).to.deep.equal([true, true, false]);
  });

  it("holds.1: a refused send does not count from the end of its hold on", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    holds.hold(ADA, B, HOLD_MS, HOLD_MS);
    for (let n = 1; n < HOLDS_MAX; n++) holds.hold(`sender-${n}` as UserId, A, HOLD_MS, HOLD_MS);
    expect(holds.isHeld(ADA, C, HOLD_MS)).to.equal(true);
  });

  it("holds.1: a sender without refused sends waits from its next refusal on", () => {
    const holds = new Holds();
    holds.hold(ADA, A, 0, 0);
    holds.release(ADA, A);
    for (const sender of [EVE, ADA]) holds.hold(sender, B, 0, 0);
    for (let n = 1; n < HOLDS_MAX; n++) holds.hold(`sender-${n}` as UserId, A, 0, 0);
    expect([EVE, ADA].map((sender) => holds.isHeld(sender, C, 10))).to.deep.equal([false, true]);
  });

  it("holds.1: a sender whose refused sends were dropped has none", () => {
    const holds = new Holds();
    for (let n = 0; n <= HOLDS_MAX; n++) holds.hold(ADA, `id-${n}` as MessageId, 0, 0);
    expect(holds.isHeld(ADA, A, 10)).to.equal(false);
    for (const id of [A, B]) holds.hold(EVE, id, 0, 0);
    for (let n = 2; n < HOLDS_MAX; n++) holds.hold(`sender-${n}` as UserId, A, 0, 0);
    expect(holds.isHeld(EVE, C, 10)).to.equal(true);
  });
});
