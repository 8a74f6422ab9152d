// Dedupe by example: ids from the past, from now and from up to a day ahead.

import { expect } from "chai";
import * as fc from "fast-check";
import { ID_AHEAD_MAX_MS, ID_SLACK_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { MemoryAccount } from "#shared/kit/memory-account.ts";
import { MEMORY_CATEGORIES } from "../core/room-memory.ts";
import { AHEAD_IDS_MAX, Dedupe, SENDER_FLOORS_MAX } from "../core/dedupe.ts";
import { ADA, idAt, T0 } from "./partition-fixture.ts";

const EVE = "eve" as UserId;
const HOUR = 3_600_000;

/** Numbers `count` ids of `sender` whose own times are `aheadMs` ahead. */
function flood(
  dedupe: Dedupe,
  sender: UserId,
  first: Seq,
  count: number,
  aheadMs = 23 * HOUR,
): Seq {
  for (let i = 0; i < count; i++) {
    const id = idAt(T0 + aheadMs, first + i);
    dedupe.remember(sender, id, { seq: first + i, at: T0 });
  }
  return first + count - 1;
}

describe("Dedupe: senders", () => {
  it("O5, dedupe.1: an id is remembered for its own sender, also when another sender's was judged last", () => {
    const dedupe = new Dedupe(0);
    const id = idAt(T0);
    expect(dedupe.judge(EVE, id, T0)).to.include({ kind: "new" });
    dedupe.remember(ADA, id, { seq: 1, at: T0 });
    expect(dedupe.judge(EVE, id, T0)).to.include({ kind: "new" });
    expect(dedupe.judge(ADA, id, T0)).to.deep.equal({ kind: "known", seq: 1, at: T0 });
  });

  it("O5, dedupe.1: two senders may use the same ids, and each has its own number until it is forgotten", () => {
    const account = new MemoryAccount(MEMORY_CATEGORIES, 1 << 20);
    const dedupe = new Dedupe(0, { account });
    const ids = [idAt(T0, 1), idAt(T0, 2)];
    const numberOf = (sender: UserId, n: number): unknown => {
      const verdict = dedupe.judge(sender, ids[n] ?? idAt(T0), T0);
      return verdict.kind === "known" ? verdict.seq : verdict.kind;
    };
    let seq = 0;
    for (const sender of [ADA, EVE]) {
      for (const id of ids) dedupe.remember(sender, id, { seq: ++seq, at: T0 });
    }
    expect([numberOf(ADA, 0), numberOf(ADA, 1)]).to.deep.equal([1, 2]);
    expect([numberOf(EVE, 0), numberOf(EVE, 1)]).to.deep.equal([3, 4]);
    dedupe.remember(ADA, ids[0] ?? idAt(T0), { seq: 1, at: T0 });
    expect(dedupe.size).to.equal(4);
    const all = { before: Infinity, now: Infinity };
    dedupe.forgetUpTo(2, all);
    expect([numberOf(ADA, 0), numberOf(EVE, 0), numberOf(EVE, 1)]).to.deep.equal(["unsure", 3, 4]);
    dedupe.remember(EVE, ids[1] ?? idAt(T0), { seq: 4, at: T0 });
    expect(dedupe.size).to.equal(2);
    dedupe.forgetUpTo(4, all);
    expect([dedupe.size, account.used]).to.deep.equal([0, 0]);
  });
});

describe("Dedupe: ids from the future", () => {
  it("dedupe.4: an id has its own time, also when an id from the future was judged last", () => {
    const dedupe = new Dedupe(0);
    dedupe.judge(EVE, idAt(T0 + 23 * HOUR), T0);
    dedupe.remember(ADA, idAt(T0), { seq: 1, at: T0 });
    expect(dedupe.forgetUpTo(1, { before: T0, now: T0 })).to.equal(false);
  });

  it("P24: ids from the future make their sender's ids unsure, and no current id of another sender", () => {
    const dedupe = new Dedupe(0, { idsMax: 100 });
    let seq = flood(dedupe, EVE, 1, AHEAD_IDS_MAX + 500);
    for (let i = 0; i < 500; i++) {
      dedupe.remember(ADA, idAt(T0 - 2 * TAKE_OVER_IDS_MS, i), { seq: ++seq, at: T0 });
    }
    for (let i = 0; i < 20; i++) dedupe.prune(T0, seq);
    expect(dedupe.floor).to.be.at.most(T0 - TAKE_OVER_IDS_MS);
    expect(dedupe.size).to.be.at.most(AHEAD_IDS_MAX + 100);
    expect(dedupe.judge(ADA, idAt(T0, 1), T0).kind).to.equal("new");
    expect(dedupe.judge(EVE, idAt(T0, 1), T0).kind).to.equal("unsure");
    expect(dedupe.judge(EVE, idAt(T0 + 23 * HOUR, 1), T0).kind).to.equal("unsure");
    expect(dedupe.judge(EVE, idAt(T0 + 23 * HOUR, seq - 500), T0).kind).to.equal("known");
  });

  it("P24: ids from the future do not keep older ids in memory", () => {
    const dedupe = new Dedupe(0);
    let seq = flood(dedupe, EVE, 1, 50);
    for (let i = 0; i < 1_000; i++) dedupe.remember(ADA, idAt(T0, i), { seq: ++seq, at: T0 });
    dedupe.prune(T0 + DEDUPE_WINDOW_MS + 1, seq);
    expect(dedupe.size).to.equal(50);
  });

  it("dedupe.4: a client with a fast clock needs no look-up, also after its older ids are forgotten", () => {
    const dedupe = new Dedupe(0);
    let seq = 0;
    for (let i = 0; i < 2 * AHEAD_IDS_MAX; i++) {
      dedupe.remember(ADA, idAt(T0 + HOUR + i, i), { seq: ++seq, at: T0 + i });
    }
    for (let i = 0; i < 20; i++) dedupe.prune(T0 + 2 * AHEAD_IDS_MAX, seq);
    expect(dedupe.size).to.equal(AHEAD_IDS_MAX);
    const next = idAt(T0 + HOUR + 2 * AHEAD_IDS_MAX);
    expect(dedupe.judge(ADA, next, T0 + 2 * AHEAD_IDS_MAX).kind).to.equal("new");
  });

  it("dedupe.5: sender floors are bounded; above it the least recently raised one becomes the dedupe floor", () => {
    const dedupe = new Dedupe(0);
    const senders = SENDER_FLOORS_MAX + 1;
    for (let i = 0; i < senders + AHEAD_IDS_MAX; i++) {
      const sender = `user-${i}` as UserId;
      dedupe.remember(sender, idAt(T0 + HOUR + i), { seq: i + 1, at: T0 });
    }
    for (let i = 0; i < 20; i++) dedupe.prune(T0, senders + AHEAD_IDS_MAX);
    expect(dedupe.senderFloors).to.equal(SENDER_FLOORS_MAX);
    expect(dedupe.floor).to.equal(T0 + HOUR + 1);
    expect(dedupe.judge("user-0" as UserId, idAt(T0 + HOUR), T0).kind).to.equal("unsure");
  });

  it("P24: dropping ids from the future under memory pressure raises only their sender's floor and frees memory", () => {
    const account = new MemoryAccount(MEMORY_CATEGORIES, 1 << 20);
    const dedupe = new Dedupe(0, { account });
    const seq = flood(dedupe, EVE, 1, 10);
    dedupe.remember(ADA, idAt(T0 - 1), { seq: seq + 1, at: T0 });
    const counted = account.used;
    expect(dedupe.forgetUpTo(seq + 1, { before: Infinity, now: T0 })).to.equal(true);
    expect(dedupe.size).to.equal(10);
    expect(dedupe.floor).to.equal(T0);
    dedupe.forgetUpTo(seq - 1, { before: Infinity, now: Infinity });
    expect(dedupe.size).to.equal(1);
    expect(dedupe.floor).to.equal(T0);
    expect(dedupe.judge(ADA, idAt(T0, 1), T0).kind).to.equal("new");
    expect(dedupe.judge(EVE, idAt(T0, 1), T0).kind).to.equal("unsure");
    expect(account.used).to.be.within(1, counted / 4);
    const next = new Dedupe(0, { account });
    next.absorb(dedupe, 0);
    expect(next.judge(EVE, idAt(T0 + 23 * HOUR, 1), T0).kind).to.equal("unsure");
    expect(next.size).to.equal(1);
    next.clear();
    expect(account.used).to.equal(0);
  });
});

describe("Dedupe: bounds", () => {
  const put = (dedupe: Dedupe, seq: Seq, time: number, at = T0, sender = ADA): void =>
    dedupe.remember(sender, idAt(time, seq), { seq, at });
  const kindOf = (dedupe: Dedupe, seq: Seq, time: number, now = T0, sender = ADA): string =>
    dedupe.judge(sender, idAt(time, seq), now).kind;
  /** Ids that one prune examines. */
  const STEPS = 2_048;

  it("O6: refuses an id from one millisecond more than a day ahead", () => {
    const dedupe = new Dedupe(0);
    expect(kindOf(dedupe, 1, T0 + ID_AHEAD_MAX_MS)).to.equal("new");
    expect(kindOf(dedupe, 1, T0 + ID_AHEAD_MAX_MS + 1)).to.equal("ahead");
    put(dedupe, 1, T0 + ID_AHEAD_MAX_MS + 1);
    expect(kindOf(dedupe, 1, T0 + ID_AHEAD_MAX_MS + 1)).to.equal("known");
  });

  it("dedupe.1: an id at a floor is new, and one below it is unsure, for the floor of its own sender only", () => {
    const dedupe = new Dedupe(T0);
    expect([T0 - 1, T0].map((time) => kindOf(dedupe, 1, time))).to.deep.equal(["unsure", "new"]);
    dedupe.raise(EVE, T0 + 50);
    expect(kindOf(dedupe, 1, T0 + 49)).to.equal("new");
    expect(kindOf(dedupe, 1, T0 + 49, T0, EVE)).to.equal("unsure");
    expect(kindOf(dedupe, 1, T0 + 50, T0, EVE)).to.equal("new");
  });

  it("dedupe.2: floors only rise, and a sender floor at or below the dedupe floor is not kept", () => {
    const dedupe = new Dedupe(T0);
    for (const floor of [T0 - 1, T0]) dedupe.raise(EVE, floor);
    expect(dedupe.senderFloors).to.equal(0);
    dedupe.raise(EVE, T0 + 50);
    dedupe.raise(EVE, T0 + 20);
    expect(kindOf(dedupe, 1, T0 + 49, T0, EVE)).to.equal("unsure");
    expect(dedupe.senderFloors).to.equal(1);
  });

  it("dedupe.5: drops the least recently raised sender floor, and uses its current value", () => {
    const dedupe = new Dedupe(0);
    const userOf = (n: number): UserId => `user-${n}` as UserId;
    for (let n = 0; n < SENDER_FLOORS_MAX; n++) dedupe.raise(userOf(n), T0 + n);
    dedupe.raise(userOf(0), T0 + 9); // Now raised most recently.
    dedupe.raise(userOf(1), T0 + 1); // Not raised.
    expect([dedupe.senderFloors, dedupe.floor]).to.deep.equal([SENDER_FLOORS_MAX, 0]);
    dedupe.raise(EVE, T0 + 77);
    expect([dedupe.senderFloors, dedupe.floor]).to.deep.equal([SENDER_FLOORS_MAX, T0 + 1]);
    expect(kindOf(dedupe, 1, T0 + 8, T0, userOf(0))).to.equal("unsure");
  });

  it("dedupe.3: an id is old when its own time and the time of its number are both before the window", () => {
    const now = T0 + DEDUPE_WINDOW_MS;
    for (const [time, at, size] of [
      [T0 - 1, T0 - 1, 0],
      [T0, T0 - 1, 1],
      [T0 - 1, T0, 1],
      [T0, T0, 1],
    ] as const) {
      const dedupe = new Dedupe(0);
      put(dedupe, 1, time, at);
      dedupe.prune(now, 1);
      expect(dedupe.size, `${time - T0} ${at - T0}`).to.equal(size);
    }
  });

  it("dedupe.3: above `idsMax` drops the oldest archived ids early, and keeps ids that are not archived", () => {
    const dedupe = new Dedupe(0, { idsMax: 2 });
    for (const seq of [1, 2, 3, 4, 5]) put(dedupe, seq, T0 + seq);
    dedupe.prune(T0, 1);
    expect(dedupe.size).to.equal(4);
    dedupe.prune(T0, 5);
    expect(dedupe.size).to.equal(2);
    expect(kindOf(dedupe, 4, T0 + 4)).to.equal("known");
    expect(kindOf(dedupe, 3, T0 + 3)).to.equal("unsure");
  });

  it("dedupe.4: a forgotten id raises the dedupe floor if it is old enough, and its sender's floor otherwise", () => {
    for (const [time, floor, senderFloors] of [
      [T0 - TAKE_OVER_IDS_MS - 1, T0 - TAKE_OVER_IDS_MS, 0],
      [T0 - TAKE_OVER_IDS_MS, 0, 1],
    ] as const) {
      const dedupe = new Dedupe(0, { idsMax: 0 });
      put(dedupe, 1, time);
      dedupe.prune(T0, 1);
      expect([dedupe.floor, dedupe.senderFloors]).to.deep.equal([floor, senderFloors]);
    }
  });

  it("dedupe.4: an id is from the future when it is more than ID_SLACK_MS ahead of its number", () => {
    const all = { before: Infinity, now: Infinity };
    for (const [aheadMs, floor, senderFloors] of [
      [ID_SLACK_MS, T0 + ID_SLACK_MS + 1, 0],
      [ID_SLACK_MS + 1, 0, 1],
    ] as const) {
      const dedupe = new Dedupe(0);
      put(dedupe, 1, T0 + aheadMs);
      expect(dedupe.forgetUpTo(1, all)).to.equal(true);
      expect([dedupe.floor, dedupe.senderFloors, dedupe.size]).to.deep.equal([
        floor,
        senderFloors,
        0,
      ]);
    }
  });

  it("dedupe.2: forgets ids below `before` and not after `now`, and stops at an id that is too young", () => {
    const forget = (before: number, now: number): [boolean, number, number] => {
      const dedupe = new Dedupe(0);
      put(dedupe, 1, T0 + 3_000);
      put(dedupe, 2, T0);
      put(dedupe, 3, T0 + 10);
      put(dedupe, 4, T0 + 1);
      return [dedupe.forgetUpTo(3, { before, now }), dedupe.size, dedupe.floor];
    };
    expect(forget(T0, T0 + 100), "2 is young").to.deep.equal([false, 4, 0]);
    expect(forget(T0 + 10, T0 + 100), "forgets 2, 3 is young").to.deep.equal([false, 3, T0 + 1]);
    expect(forget(T0 + 11, T0 + 100), "2 and 3").to.deep.equal([true, 2, T0 + 11]);
    expect(forget(T0 + 11, T0 + 9), "3 is ahead of now").to.deep.equal([true, 3, T0 + 1]);
    expect(forget(T0 + 11, T0 + 10), "3 is now").to.deep.equal([true, 2, T0 + 11]);
    expect(forget(Infinity, T0 + 3_000), "1 is now").to.deep.equal([true, 1, T0 + 3_001]);
  });

  it("dedupe.3: one prune examines 2,048 ids and as many floors, and the next prune continues", () => {
    const dedupe = new Dedupe(0);
    for (let seq = 1; seq <= STEPS + 100; seq++) put(dedupe, seq, T0, T0);
    const late = T0 + DEDUPE_WINDOW_MS + 1;
    dedupe.prune(late, STEPS + 100);
    expect(dedupe.size).to.equal(100);
    dedupe.prune(late, STEPS + 100);
    expect(dedupe.size).to.equal(0);
    for (let n = 0; n < STEPS + 99; n++) dedupe.raise(`user-${n}` as UserId, T0 + 2);
    dedupe.raise(EVE, T0 + 3);
    dedupe.absorb(new Dedupe(T0 + 2), 0);
    expect([dedupe.floor, dedupe.senderFloors]).to.deep.equal([T0 + 2, STEPS + 100]);
    dedupe.prune(late, 0);
    expect(dedupe.senderFloors).to.equal(100);
    dedupe.prune(late, 0);
    expect(dedupe.senderFloors, "the floor of EVE is above").to.equal(1);
  });

  it("P24: takes over ids above a number with all floors, and counts each once", () => {
    const account = new MemoryAccount(MEMORY_CATEGORIES, 1 << 20);
    const [dedupe, other] = [new Dedupe(0, { account }), new Dedupe(T0 - 9, { account })];
    for (const seq of [1, 2]) put(other, seq, T0);
    put(other, 3, T0 + HOUR);
    other.raise(EVE, T0 + HOUR);
    const bytes = account.used;
    dedupe.absorb(other, 1);
    expect([dedupe.size, dedupe.floor, dedupe.senderFloors]).to.deep.equal([2, T0 - 9, 1]);
    expect(account.used).to.equal(bytes - (160 + 2 * (36 + ADA.length)));
    put(dedupe, 2, T0); // Known already: not counted again.
    expect(account.used).to.equal(bytes - (160 + 2 * (36 + ADA.length)));
    dedupe.clear();
    expect([account.used, dedupe.size, dedupe.senderFloors]).to.deep.equal([0, 0, 0]);
  });
});

describe("Dedupe: archived ids", () => {
  it("P13: memory and archive together recognise every id, whatever was pruned", () => {
    const step = fc.record({
      ageMs: fc.nat(3 * DEDUPE_WINDOW_MS),
      waitMs: fc.nat(DEDUPE_WINDOW_MS),
      repeat: fc.nat(50),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 8 }),
        (steps, idsMax) => {
          const dedupe = new Dedupe(0, { idsMax });
          const archive = new Map<string, number>();
          let now = T0;
          let seq = 0;
          steps.forEach(({ ageMs, waitMs, repeat }, i) => {
            now += waitMs;
            const ids = [...archive.keys()];
            const id = (
              ids.length > 0 && i % 2 === 1 ? ids[repeat % ids.length] : idAt(now - ageMs, i)
            ) as never;
            const verdict = dedupe.judge(ADA, id, now);
            const first = archive.get(id);
            if (verdict.kind === "known") expect(verdict.seq).to.equal(first);
            else if (verdict.kind === "new") expect(first).to.equal(undefined);
            if (first === undefined) {
              archive.set(id, ++seq);
              dedupe.remember(ADA, id, { seq, at: now });
            }
            dedupe.prune(now, seq); // The archive has all ids.
          });
        },
      ),
    );
  });

  it("P13: never forgets an id that is not archived", () => {
    const dedupe = new Dedupe(0, { idsMax: 1 });
    for (let seq = 1; seq <= 10; seq++) dedupe.remember(ADA, idAt(T0, seq), { seq, at: T0 });
    dedupe.prune(T0 + 10 * DEDUPE_WINDOW_MS, 4);
    expect(dedupe.judge(ADA, idAt(T0, 5), T0).kind).to.equal("known");
    expect(dedupe.judge(ADA, idAt(T0, 4), T0).kind).to.equal("unsure");
    expect(dedupe.size).to.equal(6);
  });

  it("P13: one id from the future does not keep all later ids in memory", () => {
    const dedupe = new Dedupe(0);
    dedupe.remember(ADA, idAt(T0 + 20 * 3_600_000), { seq: 1, at: T0 });
    for (let seq = 2; seq <= 100; seq++) dedupe.remember(ADA, idAt(T0, seq), { seq, at: T0 });
    dedupe.prune(T0 + DEDUPE_WINDOW_MS + 1, 100);
    expect(dedupe.size).to.equal(1);
  });
});
