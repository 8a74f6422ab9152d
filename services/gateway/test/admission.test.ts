import { expect } from "chai";
import type { UserId } from "#shared/protocol/ids.ts";
import { Admission } from "../core/admission.ts";
import type { Action } from "../core/admission.ts";
import {
  CONNECTIONS_PER_ADDRESS_MAX,
  CONNECTIONS_PER_USER_MAX,
  ROOMS_PER_USER_MAX,
} from "../core/bounds.ts";

const peer = (user: string, address = "192.0.2.1") => ({ user: user as UserId, address });

function passes(admission: Admission, count: number, user: (n: number) => string): number {
  let passed = 0;
  for (let n = 0; n < count; n++) if (admission.take("send", peer(user(n)), 0).ok) passed++;
  return passed;
}

describe("Admission", () => {
  it("S14: an address opens 2,000 connections at once, then 50 a second; other addresses are not affected", () => {
    const admission = new Admission(true);
    const arrive = (now: number, address = "192.0.2.1") => admission.arrive(address, now);
    for (let n = 0; n < 2_000; n++) expect(arrive(0).ok).to.equal(true);
    expect(arrive(0)).to.deep.equal({ ok: false, afterMs: 20 });
    expect(arrive(0, "192.0.2.2").ok).to.equal(true);
    expect(arrive(19).ok).to.equal(false);
    expect(arrive(20).ok).to.equal(true);
    expect(arrive(20)).to.deep.equal({ ok: false, afterMs: 20 });
  });

  it("S14: after 1,000 refused tokens at once and 20 a second an address waits; a valid token costs nothing", () => {
    const admission = new Admission(true);
    const wait = (now: number, address = "192.0.2.1") => admission.tokenWaitMs(address, now);
    for (let n = 0; n < 1_000; n++) {
      expect(wait(0)).to.equal(0);
      admission.failToken("192.0.2.1", 0);
    }
    expect([wait(0), wait(0), wait(49), wait(50)]).to.deep.equal([50, 50, 1, 0]);
    expect(wait(0, "192.0.2.2")).to.equal(0);
  });

  it("S14: with LIMITS=off, neither new connections nor refused tokens are counted", () => {
    const admission = new Admission(false);
    for (let n = 0; n < 3_000; n++) {
      admission.failToken("192.0.2.1", 0);
      expect(admission.arrive("192.0.2.1", 0).ok).to.equal(true);
    }
    expect(admission.tokenWaitMs("192.0.2.1", 0)).to.equal(0);
  });

  it("S5: one user's burst does not affect another user", () => {
    const admission = new Admission(true);
    expect(passes(admission, 100, () => "ada")).to.equal(60);
    expect(passes(admission, 100, () => "bob")).to.equal(60);
  });

  it("S5: an address may do what fifty users may, and no more", () => {
    expect(passes(new Admission(true), 5_000, (n) => `user-${n}`)).to.equal(60 * 50);
  });

  it("S5: a refused action names the time after which it passes", () => {
    const admission = new Admission(true);
    for (let n = 0; n < 6; n++) admission.take("typing", peer("ada"), 0);
    const verdict = admission.take("typing", peer("ada"), 0);
    expect(verdict).to.deep.equal({ ok: false, afterMs: 500 });
    expect(admission.take("typing", peer("ada"), 500).ok).to.equal(true);
  });

  it("S5: connections of an address are counted and released", () => {
    const admission = new Admission(true);
    for (let n = 0; n < CONNECTIONS_PER_ADDRESS_MAX; n++) {
      expect(admission.connect("192.0.2.1")).to.equal(true);
    }
    expect(admission.connect("192.0.2.1")).to.equal(false);
    expect(admission.connect("192.0.2.2")).to.equal(true);
    admission.disconnect("192.0.2.1");
    expect(admission.connect("192.0.2.1")).to.equal(true);
  });

  it("S5: with LIMITS=off, everything passes", () => {
    const admission = new Admission(false);
    expect(passes(admission, 1_000, () => "ada")).to.equal(1_000);
    expect(admission.enter("ada" as UserId)).to.equal(true);
  });

  it("S5: each action has its own burst and rate, and an address has fifty times as much", () => {
    const expected: Record<Action, readonly [burst: number, afterMs: number]> = {
      send: [60, 50],
      join: [300, 50],
      history: [40, 100],
      typing: [6, 500],
      read: [300, 100],
      frame: [2_000, 5],
      broken: [1_000, 50],
      refresh: [40, 1_000],
    };
    for (const [action, [burst, afterMs]] of Object.entries(expected) as [
      Action,
      readonly [number, number],
    ][]) {
      const admission = new Admission(true);
      const take = (user: string, cost?: number) => admission.take(action, peer(user), 0, cost);
      expect(take("ada", burst), action).to.deep.equal({ ok: true });
      expect(take("ada"), action).to.deep.equal({ ok: false, afterMs });
      for (let n = 1; n < 50; n++) expect(take(`user-${n}`, burst).ok, action).to.equal(true);
      const refused = { ok: false, afterMs: Math.ceil(afterMs / 50) };
      expect(take("late"), action).to.deep.equal(refused);
      expect(admission.take(action, peer("late", "192.0.2.2"), 0).ok, action).to.equal(true);
      expect(admission.rateOf(action)).to.deep.equal({ perSecond: 1_000 / afterMs, burst });
    }
  });

  it("S5: a rate that changes at run time applies to the user and, fifty times, to the address", () => {
    const admission = new Admission(true);
    admission.setRate("send", { perSecond: 1, burst: 2 });
    expect(admission.rateOf("send")).to.deep.equal({ perSecond: 1, burst: 2 });
    expect(passes(admission, 10, () => "ada")).to.equal(2);
    expect(passes(admission, 1_000, (n) => `user-${n}`)).to.equal(98);
    expect(admission.take("send", peer("eve", "192.0.2.2"), 0).ok).to.equal(true);
    expect(admission.rateOf("join").burst, "other actions keep their rates").to.equal(300);
  });

  it("S5: connections and rooms are counted exactly for each user, and released", () => {
    const admission = new Admission(true);
    const [ada, bob] = ["ada", "bob"] as UserId[] as [UserId, UserId];
    const rows = [
      {
        max: CONNECTIONS_PER_USER_MAX,
        take: (user: UserId) => admission.enter(user),
        give: (user: UserId) => admission.exit(user),
      },
      {
        max: ROOMS_PER_USER_MAX,
        take: (user: UserId) => admission.takeRoom(user),
        give: (user: UserId) => admission.releaseRoom(user),
      },
      {
        max: CONNECTIONS_PER_ADDRESS_MAX,
        take: (user: UserId) => admission.connect(user),
        give: (user: UserId) => admission.disconnect(user),
      },
    ];
    for (const { max, take, give } of rows) {
      const takes = (user: UserId, count: number): number =>
        Array.from({ length: count }, () => take(user)).filter(Boolean).length;
      expect(takes(ada, max + 5)).to.equal(max);
      expect(takes(bob, 1)).to.equal(1);
      give(ada);
      give(ada);
      expect(takes(ada, 5)).to.equal(2);
      // More than it has: the count never becomes negative.
      for (let n = 0; n < max + 3; n++) give(ada);
      expect(takes(ada, max + 5)).to.equal(max);
      expect(takes(bob, max)).to.equal(max - 1);
    }
  });

  it("admission.3: with LIMITS=off nothing is counted, however often it is taken and released", () => {
    const admission = new Admission(false);
    const ada = "ada" as UserId;
    for (let n = 0; n <= ROOMS_PER_USER_MAX; n++) {
      const taken = [admission.enter(ada), admission.takeRoom(ada), admission.connect(ada)];
      expect(taken).to.deep.equal([true, true, true]);
    }
    admission.exit(ada);
    admission.releaseRoom(ada);
    admission.disconnect(ada);
  });
});
