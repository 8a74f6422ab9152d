// Dedupe, by example and against a model: ids from the past, from now and from up to a day ahead.

import { expect } from "chai";
import * as fc from "fast-check";
import { ID_AHEAD_MAX_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { MessageId, Millis, Seq, UserId } from "#shared/protocol/ids.ts";
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

  it("P26: whatever senders and clocks do, no id is new twice, none is taken for another, and the floor stays behind now", () => {
    const step = fc.record({
      sender: fc.nat(3),
      // Old, fresh, a little ahead, and up to a day ahead.
      offsetMs: fc.oneof(
        fc.integer({ min: -3 * DEDUPE_WINDOW_MS, max: 0 }),
        fc.integer({ min: -1_000, max: 10_000 }),
        fc.integer({ min: 10_000, max: ID_AHEAD_MAX_MS }),
      ),
      waitMs: fc.oneof(fc.nat(5_000), fc.nat(DEDUPE_WINDOW_MS), fc.nat(8 * HOUR)),
      repeat: fc.option(fc.nat(80), { nil: undefined }),
      lag: fc.nat(5),
    });
    const seen = { known: 0, new: 0, unsure: 0, ahead: 0 };
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: "max" }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        (steps, idsMax, aheadMax) => {
          const dedupe = new Dedupe(0, { idsMax, aheadMax });
          const archive = new Map<string, { sender: UserId; id: MessageId; seq: Seq }>();
          let now: Millis = T0;
          let archived = 0;
          for (const [i, { sender: who, offsetMs, waitMs, repeat, lag }] of steps.entries()) {
            now += waitMs;
            const before = [...archive.values()][repeat ?? archive.size];
            const sender = before?.sender ?? (`user-${who}` as UserId);
            const id = before?.id ?? idAt(now + offsetMs, i);
            const first = archive.get(sender + id);
            const verdict = dedupe.judge(sender, id, now);
            seen[verdict.kind]++;
            if (verdict.kind === "known") expect(verdict.seq).to.equal(first?.seq);
            if (verdict.kind === "new") expect(first, `${sender} ${id}`).to.equal(undefined);
            // Only the archive's own ids may be forgotten.
            if (verdict.kind === "unsure") expect(first?.seq ?? 0).to.be.at.most(archived);
            if (first === undefined && verdict.kind !== "ahead") {
              const seq = archive.size + 1;
              archive.set(sender + id, { sender, id, seq });
              dedupe.remember(sender, id, { seq, at: now });
            }
            archived = Math.max(archived, archive.size - lag);
            dedupe.prune(now, archived);
            expect(dedupe.floor).to.be.at.most(now - TAKE_OVER_IDS_MS);
            expect(dedupe.judge("nobody-else" as UserId, idAt(now, i), now).kind).to.equal("new");
          }
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.known, seen.new, seen.unsure), JSON.stringify(seen)).to.be.above(500);
  });
});
