// Checker: room lists. Good lists have no violation; each bad one violates I18.

import { expect } from "chai";
import { check } from "../check.ts";
import type { HistoryRecord, ShownRoom } from "../record.ts";
import { shownListOf } from "../shown-list.ts";

/** The lines of the room: 1 ben, 2 ben comes, 3 ada, 4 ada names ben, 5 ada, 6 deletes 5. */
const LINES = [
  { t: "msg", from: "ben" },
  { t: "member", from: "ben", user: "ben", role: "member" },
  { t: "msg", from: "ada" },
  { t: "msg", from: "ada", mentions: ["ben"] },
  { t: "msg", from: "ada", deleted: { by: "ada", at: 6, seq: 6 } },
  { t: "deleted", from: "ada", target: 5 },
].map(lineOf);

function lineOf(line: object, i: number): string {
  return JSON.stringify({ room: "plans", seq: i + 1, id: `i${i + 1}`, at: i, ...line });
}

const AT_END = { room: "plans", head: 6, role: "member", read: 0, unread: 2, mentions: 1, last: 4 };

const on = { t: 1, client: "ben", conn: 1 };
const said = (seq: number, conn = 1): object => ({ ...on, conn, op: "read", room: "plans", seq });
const list = (ref: number, rooms: readonly object[], conn = 1): object[] => [
  { ...on, conn, op: "list", phase: "invoke", ref },
  { ...on, conn, op: "list", phase: "ok", ref, rooms },
];
const joined = { ...on, op: "join", phase: "ok", room: "plans", from: 7, head: 6 };
const END = { t: 9, op: "mark", what: "end" };

/** The details of the violations of I18. It needs no records of the sends. */
function wrong(...records: readonly (object | object[])[]): string[] {
  const all = records.flat() as HistoryRecord[];
  const { violations } = check({ records: all, archive: LINES, log: [] });
  return violations.flatMap(({ invariant, detail }) => (invariant === "I18" ? [detail] : []));
}

describe("Checker: room lists", () => {
  it("I18: a list that is the fold of the lines has no violation, at any head", () => {
    expect(wrong(list(1, [AT_END]))).to.deep.equal([]);
    const before = { ...AT_END, head: 5, unread: 3, last: 5 };
    expect(wrong(list(1, [before]))).to.deep.equal([]);
    // The archive no longer says whom the deleted message named.
    expect(wrong(list(1, [{ ...before, mentions: 2 }]))).to.deep.equal([]);
    const read = { ...AT_END, read: 4, unread: 0, mentions: 0 };
    expect(wrong(said(4), list(1, [read]))).to.deep.equal([]);
  });

  it("I18: a list with another count, role, head or last message is a violation", () => {
    const changes: Partial<Record<keyof ShownRoom, unknown>>[] = [
      { unread: 3 },
      { unread: 1 },
      { mentions: 0 },
      { mentions: 2 },
      { role: "owner" },
      { head: 7 },
      { last: 5 },
      { last: 0 },
      { room: "other" },
    ];
    for (const change of changes) {
      const text = JSON.stringify(change);
      expect(wrong(list(1, [{ ...AT_END, ...change }])), text).to.have.length.at.least(1);
    }
  });

  it("I18, U9: an edit changes the mentions of the lists from its number on", () => {
    const lines = [
      { t: "member", from: "ben", user: "ben", role: "member" },
      { t: "msg", from: "ada" },
      { t: "edited", from: "ada", target: 2, mentions: ["ben"] },
      { t: "edited", from: "ada", target: 2 },
      { t: "edited", from: "ada", target: 2, mentions: [] },
    ];
    const shown = { room: "plans", role: "member", read: 0, unread: 1, last: 2 };
    for (const [head, expected] of [0, 0, 1, 1, 0].entries()) {
      for (const mentions of head === 0 ? [] : [0, 1]) {
        const records = list(1, [{ ...shown, head: head + 1, mentions }]) as HistoryRecord[];
        const { violations } = check({ records, archive: lines.map(lineOf), log: [] });
        const found = violations.filter(({ invariant }) => invariant === "I18");
        expect(found, `${mentions} at ${head + 1}`).to.have.length(mentions === expected ? 0 : 1);
      }
    }
  });

  it("I18: a position that was not said, or that falls, is a violation", () => {
    const at = (read: number): object => ({ ...AT_END, read, unread: read < 3 ? 2 : 1 });
    expect(wrong(list(1, [at(3)])).join("\n")).to.match(/is 3; 0 was said/);
    const fallen = wrong(said(3), list(1, [at(3)]), list(2, [at(2)]));
    expect(fallen.join("\n")).to.match(/fell from 3 to 2/);
    // A list that was requested before the other one arrived can be older.
    const [ask1, answer1] = list(1, [at(3)]);
    const [ask2, answer2] = list(2, [at(2)]);
    expect(wrong(said(3), ask1!, ask2!, answer1!, answer2!)).to.deep.equal([]);
  });

  it("I18: at the end the last list has the rooms and the positions of its connection", () => {
    expect(wrong(list(1, [AT_END]), END)).to.deep.equal([]);
    expect(wrong(list(1, []), END).join("\n")).to.match(/plans is missing/);
    expect(wrong(joined, said(4), list(1, [AT_END]), END).join("\n")).to.match(
      /said plans 4; the last list has 0/,
    );
    expect(wrong(joined, said(4), list(1, [AT_END]))).to.deep.equal([]);
    // The gateway of another connection may have been killed.
    expect(wrong(joined, said(4), list(1, [AT_END], 2), END)).to.deep.equal([]);
    // Above what the client had received.
    expect(wrong({ ...joined, head: 1 }, said(4), list(1, [AT_END]), END)).to.deep.equal([]);
    // From before the membership.
    expect(wrong(joined, said(1), list(1, [AT_END]), END)).to.deep.equal([]);
  });

  it("reads the frame of a list", () => {
    const counts = { read: 0, unread: 2, mentions: 1 };
    const room = { room: "plans", kind: "open", role: "member", head: 6, at: 9, ...counts };
    const last = { seq: 4, from: "ada", at: 3, text: "hi" };
    const frame = { t: "rooms", ref: 3, rooms: [{ ...room, last }, room] };
    expect(shownListOf(frame)).to.deep.equal({
      op: "list",
      phase: "ok",
      ref: 3,
      rooms: [AT_END, { ...AT_END, last: 0 }],
    });
  });
});
