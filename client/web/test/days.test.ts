// Days: days, groups, and the line before the unread messages.

import { expect } from "chai";
import * as fc from "fast-check";
import { dayKey } from "../store/day-key.ts";
import { GROUP_GAP_MS, groupByDay } from "../store/days.ts";
import type { SentMessage, UnsentMessage } from "../store/timeline-rows.ts";

const NOON = new Date(2026, 10, 3, 12).getTime();
const MINUTE = 60_000;

function sent(seq: number, from: string, at: number): SentMessage {
  return { kind: "sent", id: `id-${seq}`, seq, from, at, text: "…" };
}

function unsent(id: string, at: number): UnsentMessage {
  return { kind: "pending", id, from: "ada", at, text: "…" };
}

function heads(messages: SentMessage[], mark?: number): number[] {
  const rows = groupByDay(messages, [], mark).flatMap((day) => day.rows);
  return rows.filter((row) => row.isHead).map(({ message }) => message.seq ?? 0);
}

describe("days", () => {
  it("O3: every message is under the local day of its time", () => {
    const messages = [
      sent(1, "ada", NOON - 24 * 60 * MINUTE),
      sent(2, "ada", NOON),
      sent(3, "ada", NOON + MINUTE),
    ];
    const days = groupByDay(messages, [], undefined);
    expect(days.map((day) => [day.key, day.rows.length])).to.deep.equal([
      ["2026-11-02", 1],
      ["2026-11-03", 2],
    ]);
  });

  it("O3: messages of one sender within five minutes form one group", () => {
    const messages = [
      sent(1, "ada", NOON),
      sent(2, "ada", NOON + GROUP_GAP_MS),
      sent(3, "ada", NOON + 2 * GROUP_GAP_MS + 1),
      sent(4, "grace", NOON + 2 * GROUP_GAP_MS + 2),
      sent(5, "ada", NOON + 2 * GROUP_GAP_MS + 3),
    ];
    expect(heads(messages)).to.deep.equal([1, 3, 4, 5]);
  });

  it("O3: the line of new messages follows the last read message and begins a group", () => {
    const messages = [1, 2, 3].map((seq) => sent(seq, "ada", NOON + seq));
    const rows = groupByDay(messages, [], 2).flatMap((day) => day.rows);
    expect(rows.map((row) => row.isFirstUnread)).to.deep.equal([false, false, true]);
    expect(heads(messages, 2)).to.deep.equal([1, 3]);
    const none = groupByDay(messages, [], 0).flatMap((day) => day.rows);
    expect(none.some((row) => row.isFirstUnread)).to.equal(false);
  });

  it("O3: the line of new messages is before the first message behind the mark that has a row", () => {
    const rows = (messages: SentMessage[], mark: number): boolean[] =>
      groupByDay(messages, [], mark).flatMap((day) => day.rows.map((row) => row.isFirstUnread));
    const messages = [1, 5, 9].map((seq) => sent(seq, "ada", NOON + seq));
    expect(rows(messages, 3)).to.deep.equal([false, true, false]);
    expect(rows(messages.slice(1), 3), "the mark is before the range").to.deep.equal([
      false,
      false,
    ]);
  });

  it("O2: an unsent message can open a new day, and never an earlier one", () => {
    const tomorrow = NOON + 24 * 60 * MINUTE;
    const keys = (at: number): string[] =>
      groupByDay([sent(1, "ada", NOON)], [unsent("pending", at)], undefined).map((day) => day.key);
    expect(keys(tomorrow)).to.deep.equal([dayKey(NOON), dayKey(tomorrow)]);
    expect(keys(NOON - 24 * 60 * MINUTE)).to.deep.equal([dayKey(NOON)]);
  });

  it("O3: the days hold exactly the given messages in their order", () => {
    const gaps = fc.array(fc.tuple(fc.nat(40 * 60), fc.constantFrom("ada", "grace")));
    fc.assert(
      fc.property(gaps, fc.nat(5), (steps, waiting) => {
        let at = NOON;
        const messages = steps.map(([minutes, from], i) =>
          sent(i + 1, from, (at += minutes * MINUTE)),
        );
        const pending = Array.from({ length: waiting }, (_, i) => unsent(`u-${i}`, at));
        const days = groupByDay(messages, pending, 3);
        const shown = days.flatMap((day) => day.rows.map((row) => row.message));
        expect(shown).to.deep.equal([...messages, ...pending]);
        expect(new Set(days.map((day) => day.key)).size).to.equal(days.length);
      }),
    );
  });
});
