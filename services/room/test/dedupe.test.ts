// Dedupe by example: ids from the past, from now and from up to a day ahead.

import { expect } from "chai";
import { TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { MemoryAccount } from "#shared/kit/memory-account.ts";
import { ROOM_LINES } from "../core/room-memory.ts";
import { AHEAD_IDS_MAX, Dedupe, SENDER_FLOORS_MAX } from "../core/dedupe.ts";
import { ADA, idAt, T0 } from "./vocabulary.ts";

const EVE = "eve" as UserId;
const HOUR = 3_600_000;

/** Numbers `count` ids of `sender` that claim to be `aheadMs` ahead. */
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

describe("Dedupe: ids from the future", () => {
  it("P26: a sender with ids from the future pays for them, and no other sender's fresh id is unsure", () => {
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

  it("P26: ids from the future do not keep older ids in memory", () => {
    const dedupe = new Dedupe(0);
    let seq = flood(dedupe, EVE, 1, 50);
    for (let i = 0; i < 1_000; i++) dedupe.remember(ADA, idAt(T0, i), { seq: ++seq, at: T0 });
    dedupe.prune(T0 + DEDUPE_WINDOW_MS + 1, seq);
    expect(dedupe.size).to.equal(50);
  });

  it("X4: a client whose clock is ahead costs no look-up, also when its older ids are forgotten", () => {
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

  it("X5: own floors are bounded; beyond it the one that rose longest ago becomes the floor of all", () => {
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

  it("P26: ids from the future that go because memory is short cost their sender alone, and are given back", () => {
    const account = new MemoryAccount(ROOM_LINES, 1 << 20);
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
