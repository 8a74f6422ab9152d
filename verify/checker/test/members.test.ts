// Checker: members. Good runs of a closed room have no violation; each bad one violates I16.

import { expect } from "chai";
import type { MessageId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import type { HistoryRecord } from "../record.ts";
import { idOfWrite } from "../write-ids.ts";

const AT = 1_000;

interface Draft {
  readonly t: string;
  readonly from?: string;
  readonly at?: number;
  readonly [key: string]: unknown;
}

/** Lines of the room, numbered from 1. */
function linesOf(drafts: readonly Draft[]): string[] {
  return drafts.map(({ t, from = "ada", at, ...rest }, i) =>
    JSON.stringify({
      t,
      room: "plans",
      seq: i + 1,
      id: `i${i + 1}`,
      from,
      at: at ?? AT + i,
      ...rest,
    }),
  );
}

const ID = "0199f000-0000-7000-8000-0000000000a1" as MessageId;
/** The lines of one `create`: their ids follow from its id. */
const CREATED: readonly Draft[] = [
  { t: "room", kind: "closed", at: AT, id: ID },
  { t: "member", user: "ada", role: "owner", at: AT, id: idOfWrite(ID, 1) },
  { t: "member", user: "ben", role: "member", at: AT, id: idOfWrite(ID, 2) },
];
const msg = (from = "ada"): Draft => ({ t: "msg", from, body: {} });
const member = (user: string, role: string, more: object = {}): Draft => ({
  t: "member",
  user,
  role,
  ...more,
});

/** `ben` joins at `head`, and receives the lines up to `last`. */
function reader(head: number, last: number, client = "ben"): HistoryRecord[] {
  const on = { t: 1, client, conn: 1, room: "plans" };
  const records: object[] = [
    { ...on, op: "join", phase: "invoke" },
    { ...on, op: "join", phase: "ok", from: 1, head },
  ];
  for (let seq = 1; seq <= last; seq++) records.push({ ...on, op: "see", seq, id: `i${seq}` });
  return records as HistoryRecord[];
}

function page(first: number, count: number, client = "ben"): HistoryRecord[] {
  const on = { t: 1, client, conn: 1, room: "plans", op: "page", ref: 1 };
  const ids = Array.from({ length: count }, (_, i) => `i${first + i}`);
  return [
    { ...on, phase: "invoke" },
    { ...on, phase: "ok", first, ids },
  ] as unknown as HistoryRecord[];
}

function rights(records: readonly HistoryRecord[], drafts: readonly Draft[]): string[] {
  const report = check({ records, archive: linesOf(drafts), log: [] });
  return report.violations
    .filter(({ invariant }) => invariant === "I16")
    .map(({ detail }) => detail);
}

describe("check: members", () => {
  const removed = [...CREATED, msg(), member("ben", "none"), msg(), msg()];

  it("I16: the removing line is the last one of a removed member, and no earlier end is a violation", () => {
    expect(rights(reader(3, 5), removed)).to.deep.equal([]);
    expect(rights(reader(3, 4), removed)).to.deep.equal([]);
    expect(rights(reader(3, 7, "ada"), removed)).to.deep.equal([]);
    expect(rights(reader(3, 6), removed)).to.deep.equal([
      "ben/1 received plans up to 6; its right ended with 5",
    ]);
  });

  it("I16: a removal right behind the creation, with the same time, is no part of it (seed 887)", () => {
    const atOnce = [...CREATED, member("ben", "none", { at: AT }), msg()];
    expect(rights(reader(3, 4), atOnce)).to.deep.equal([]);
    expect(rights(reader(3, 5), atOnce)).to.have.length(1);
    expect(rights(reader(4, 4), atOnce)).to.have.length(1);
  });

  it("I16: no connection joins without the right at that head, and a member who came back may", () => {
    expect(rights(reader(6, 0), removed)).to.have.length(1);
    expect(rights(reader(3, 0, "eve"), removed)).to.have.length(1);
    const back = [...removed, member("ben", "reader"), msg()];
    expect(rights(reader(8, 9), back)).to.deep.equal([]);
    expect(rights(reader(3, 6), back)).to.have.length(1);
  });

  it("I16: a user who joined before the room was closed receives none of its lines, and an invited one all", () => {
    expect(rights(reader(0, 0, "eve"), removed)).to.deep.equal([]);
    expect(rights(reader(0, 1, "eve"), removed)).to.have.length(1);
    expect(rights(reader(0, 5), removed)).to.deep.equal([]);
  });

  it("I16: a page reaches no line behind the end of the right", () => {
    expect(rights(page(1, 5), removed)).to.have.length(1);
    expect(rights(page(1, 4), removed)).to.deep.equal([]);
    expect(rights(page(1, 7, "eve"), removed)).to.have.length(1);
    const back = [...removed, member("ben", "reader")];
    expect(rights(page(1, 7), back)).to.deep.equal([]);
  });

  it("I16: a stored message or change needs a sender with the right to it", () => {
    expect(rights([], [...removed, msg("ben")])).to.have.length(1);
    expect(rights([], [...CREATED, msg("ben"), msg("eve")])).to.have.length(1);
    expect(rights([], [...CREATED, member("eve", "member", { from: "ben" })])).to.have.length(1);
    expect(rights([], [...CREATED, member("ben", "none", { from: "ben" })])).to.deep.equal([]);
    const muted = member("ben", "member", { mutedUntil: AT + 5 });
    expect(rights([], [...CREATED, muted, { ...msg("ben"), at: AT + 4 }])).to.have.length(1);
    expect(rights([], [...CREATED, muted, { ...msg("ben"), at: AT + 5 }])).to.deep.equal([]);
    const open = [
      { t: "room", kind: "open", at: AT, id: ID },
      member("ada", "owner", { at: AT, id: idOfWrite(ID, 1) }),
    ];
    const banned = [...open, msg("ben"), member("ben", "none", { banned: true }), msg("ben")];
    expect(rights([], banned)).to.have.length(1);
    expect(rights([], [msg("eve"), msg("ben")])).to.deep.equal([]);
  });
});
