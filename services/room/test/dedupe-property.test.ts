// Dedupe against a model: ids from the past, from now and from up to a day ahead.

import { expect } from "chai";
import * as fc from "fast-check";
import { ID_AHEAD_MAX_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";
import { DEDUPE_WINDOW_MS } from "#shared/protocol/limits.ts";
import type { MessageId, Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import { Dedupe } from "../core/dedupe.ts";
import { idAt, T0 } from "./partition-fixture.ts";

const HOUR = 3_600_000;

describe("Dedupe against a model", () => {
  it("P24: for all senders and clocks, no id is new twice, no id gets the number of another, and the floor stays behind the clock", () => {
    const step = fc.record({
      sender: fc.nat(3),
      // Old, current, slightly ahead, and up to a day ahead.
      offsetMs: fc.oneof(
        fc.integer({ min: -3 * DEDUPE_WINDOW_MS, max: 0 }),
        fc.integer({ min: -1_000, max: 10_000 }),
        fc.integer({ min: 10_000, max: ID_AHEAD_MAX_MS }),
      ),
      waitMs: fc.oneof(fc.nat(5_000), fc.nat(DEDUPE_WINDOW_MS), fc.nat(8 * HOUR)),
      repeat: fc.option(fc.nat(80), { nil: undefined }),
      // A sender may use the ids of others.
      isOwn: fc.boolean(),
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
          for (const [
            i,
            { sender: user, offsetMs, waitMs, repeat, isOwn, lag },
          ] of steps.entries()) {
            now += waitMs;
            const before = [...archive.values()][repeat ?? archive.size];
            const sender = (isOwn && before?.sender) || (`user-${user}` as UserId);
            const id = before?.id ?? idAt(now + offsetMs, i);
            const first = archive.get(sender + id);
            const verdict = dedupe.judge(sender, id, now);
            seen[verdict.kind]++;
            if (verdict.kind === "known") expect(verdict.seq).to.equal(first?.seq);
            if (verdict.kind === "new") expect(first, `${sender} ${id}`).to.equal(undefined);
            // Memory may forget only ids that the archive has.
            if (verdict.kind === "unsure") expect(first?.seq ?? 0).to.be.at.most(archived);
            if (first === undefined && verdict.kind !== "ahead") {
              const seq = archive.size + 1;
              archive.set(sender + id, { sender, id, seq });
              dedupe.remember(sender, id, { seq, at: now });
            }
            archived = Math.max(archived, archive.size - lag);
            dedupe.prune(now, archived);
            expect(dedupe.floor).to.be.at.most(now - TAKE_OVER_IDS_MS);
            expect(dedupe.judge("another-user" as UserId, idAt(now, i), now).kind).to.equal("new");
          }
        },
      ),
      { numRuns: 1_000 },
    );
    expect(Math.min(seen.known, seen.new, seen.unsure), JSON.stringify(seen)).to.be.above(500);
  });
});
