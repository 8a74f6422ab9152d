// Checker: changes of messages. Good runs have no violation; each bad one violates I17.

import { expect } from "chai";
import { check } from "../check.ts";
import type { HistoryRecord, ViewedMessage } from "../record.ts";

interface Draft {
  readonly t: string;
  readonly from?: string;
  readonly [key: string]: unknown;
}

function linesOf(drafts: readonly Draft[]): string[] {
  return drafts.map(({ t, from = "ada", ...rest }, i) =>
    JSON.stringify({ t, room: "plans", seq: i + 1, id: `i${i + 1}`, from, at: 1_000 + i, ...rest }),
  );
}

const msg = (from = "ada", more: object = {}): Draft => ({ t: "msg", from, body: {}, ...more });
const edited = (target: number, from = "ada", more: object = {}): Draft => ({
  t: "edited",
  from,
  target,
  body: {},
  ...more,
});
const deleted = (target: number, from = "ada"): Draft => ({ t: "deleted", from, target });
const reacted = (target: number, from = "ada", on = true): Draft => ({
  t: "reacted",
  from,
  target,
  emoji: "👍",
  on,
});
const pinned = (target: number, from = "ada", on = true): Draft => ({
  t: "pinned",
  from,
  target,
  on,
});
const of = (seq: number): object => ({ deleted: { by: "ada", at: 1, seq } });
const role = (user: string, to: string): Draft => ({ t: "member", user, role: to });

const NOTHING = { edited: 0, deleted: 0, pinned: 0, replies: 0, lastReply: 0, reactions: [] };

function view(
  asOf: number,
  messages: readonly (Partial<ViewedMessage> & { seq: number })[],
  more: object = {},
): HistoryRecord[] {
  const on = { t: 1, client: "ben", conn: 1, room: "plans", op: "view", ref: 1 };
  const whole = messages.map((message) => ({ ...NOTHING, ...message }));
  return [
    { ...on, phase: "invoke" },
    { ...on, phase: "ok", first: 1, last: asOf, asOf, messages: whole, ...more },
  ] as unknown as HistoryRecord[];
}

function found(drafts: readonly Draft[], records: readonly HistoryRecord[] = []): string[] {
  const report = check({ records, archive: linesOf(drafts), log: [] });
  return report.violations
    .filter(({ invariant }) => invariant === "I17")
    .map(({ detail }) => detail);
}

describe("check: changes", () => {
  it("I17: a change has a sender with the right to it", () => {
    const members = [{ t: "room", kind: "open" }, role("mo", "moderator"), role("ro", "reader")];
    const by = (...changes: Draft[]): string[] => found([...members, msg(), ...changes]);
    expect(by(edited(4), reacted(4, "ben"), pinned(4, "mo"))).to.deep.equal([]);
    expect(by(edited(4, "ben"))).to.have.length(1);
    expect(by(edited(4, "mo"))).to.have.length(1);
    expect(by(reacted(4, "ro"))).to.have.length(1);
    expect(by(pinned(4, "ben"))).to.have.length(1);
    const gone = [...members, msg("ada", of(5))];
    expect(found([...gone, deleted(4, "mo")])).to.deep.equal([]);
    expect(found([...gone, deleted(4, "ben")])).to.have.length(1);
  });

  it("I17: a change names a message that was not deleted before, and a thread one of the main line", () => {
    expect(found([msg(), reacted(1), edited(2)])).to.have.length(1);
    expect(found([msg(), edited(9)])).to.have.length(1);
    expect(found([msg("ada", of(2)), deleted(1), reacted(1)])).to.have.length(1);
    expect(found([msg("ada", of(2)), deleted(1), deleted(1)])).to.have.length(1);
    const reply = msg("ben", { thread: 1 });
    expect(found([msg(), reply, reply])).to.deep.equal([]);
    expect(found([msg(), reply, msg("ben", { thread: 2 })])).to.have.length(1);
    expect(found([msg(), msg("ben", { thread: 2 })])).to.have.length(1);
    expect(found([msg("ada", of(2)), deleted(1), reply])).to.have.length(1);
  });

  it("I17: a deletion leaves no text of its message and of its edits, and no other tombstone", () => {
    const whole = [msg("ada", of(3)), edited(1, "ada", of(3)), deleted(1), msg()];
    expect(found(whole)).to.deep.equal([]);
    expect(found([msg(), edited(1, "ada", of(3)), deleted(1)])).to.have.length(1);
    expect(found([msg("ada", of(3)), edited(1), deleted(1)])).to.have.length(1);
    expect(found([msg("ada", of(2)), msg()])).to.have.length(1);
    expect(found([msg("ada", of(7)), edited(1, "ada", of(3)), deleted(1)])).to.have.length(1);
  });

  it("I17: a page of messages is the fold of the lines up to its `asOf`", () => {
    const room = { t: "room", kind: "open" };
    const lines = [
      room,
      role("ada", "owner"),
      msg(),
      msg("ben", { thread: 3 }),
      edited(3),
      reacted(3, "ben"),
      reacted(3),
      reacted(3, "ben", false),
      pinned(3),
      msg("ben", { thread: 3 }),
    ];
    const root = { seq: 3, edited: 5, replies: 1, lastReply: 4, pinned: 9, reactions: ["👍 1"] };
    expect(found(lines, view(9, [root]))).to.deep.equal([]);
    expect(found(lines, view(10, [{ ...root, replies: 2, lastReply: 10 }]))).to.deep.equal([]);
    expect(found(lines, view(7, [{ ...root, pinned: 0, reactions: ["👍 2"] }]))).to.deep.equal([]);
    for (const wrong of [
      { ...root, replies: 2 },
      { ...root, edited: 0 },
      { ...root, reactions: ["👍 2"] },
      { ...root, pinned: 0 },
    ]) {
      expect(found(lines, view(9, [wrong])), JSON.stringify(wrong)).to.have.length(1);
    }
    expect(found(lines, view(9, []))).to.have.length(1);
    expect(found(lines, view(9, [root, { seq: 4 }]))).to.have.length(1);
    expect(found(lines, view(9, [{ seq: 4 }], { thread: 3 }))).to.deep.equal([]);
    expect(found(lines, view(10, [{ seq: 4 }], { thread: 3 }))).to.have.length(1);
    expect(found(lines, view(9, [root], { first: 4 }))).to.have.length(1);
  });

  it("I17, U9: a page shows the mentions of the newest edit that has some, else of the message", () => {
    const by = (mentions: unknown): Draft => edited(1, "ada", { mentions });
    const lines = [
      msg("ada", { mentions: ["eve", "ben"] }),
      edited(1),
      by(["cy"]),
      edited(1),
      by([]),
    ];
    const shown = (asOf: number, mentions?: unknown): HistoryRecord[] => {
      const edit = [0, 0, 2, 3, 4, 5][asOf] ?? 0;
      const message = { seq: 1, edited: edit, ...(mentions !== undefined && { mentions }) };
      return view(asOf, [message as ViewedMessage]);
    };
    const expected = [undefined, ["ben", "eve"], ["ben", "eve"], ["cy"], ["cy"], []];
    for (let asOf = 1; asOf <= 5; asOf++) {
      for (const mentions of [[], ["ben", "eve"], ["cy"], "@room"]) {
        const isRight = JSON.stringify(mentions) === JSON.stringify(expected[asOf]);
        const wrong = found(lines, shown(asOf, mentions));
        expect(wrong, `${String(mentions)} as of ${asOf}`).to.have.length(isRight ? 0 : 1);
      }
      expect(found(lines, shown(asOf)), "a record of an older run").to.deep.equal([]);
    }
    const everyone = [role("ada", "moderator"), msg("ada", { mentions: "@room" })];
    const page = (mentions: unknown): HistoryRecord[] =>
      view(2, [{ seq: 2, mentions } as ViewedMessage]);
    expect(found(everyone, page("@room"))).to.deep.equal([]);
    expect(found(everyone, page([]))).to.have.length(1);
  });

  it("I17, U9: a page from before a deletion is not judged by mentions that are erased", () => {
    const gone = [msg("ada", of(2)), deleted(1)];
    const shown = { seq: 1, mentions: ["ben"] };
    expect(found(gone, view(1, [shown]))).to.deep.equal([]);
    expect(found(gone, view(2, [{ ...shown, deleted: 2 }]))).to.have.length(1);
    expect(found(gone, view(2, [{ ...shown, deleted: 2, mentions: [] }]))).to.deep.equal([]);
  });
});
