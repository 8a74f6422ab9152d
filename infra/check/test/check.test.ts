// The checker's own tests: a good run is clean, and each kind of bad run is caught for what it is.
//
// A checker that cannot fail proves nothing, so every invariant has a history broken by hand, and a
// property breaks good histories at random places.

import { expect } from "chai";
import { assert, constantFrom, nat, property, record } from "fast-check";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import { decodeRecord, encodeRecord } from "../record.ts";
import type { ClientRecord } from "../record.ts";
import { storeOf } from "../stores.ts";
import type { Stores } from "../stores.ts";

const ROOM = "general" as RoomId;
const ADA = "ada" as UserId;
const EVE = "eve" as UserId;

const idOf = (n: number): MessageId =>
  `01990000-0000-7000-8000-${String(n).padStart(12, "0")}` as MessageId;

function line(seq: number, n = seq, from: UserId = ADA): string {
  const body = { text: String(n) };
  return encodeEvent({ t: "msg", room: ROOM, seq, id: idOf(n), from, at: 5, body });
}

type Extra = { readonly conn?: number; readonly client?: UserId };
const origin = ({ conn = 1, client = ADA }: Extra = {}) => ({ t: 0, client, conn, room: ROOM });

const invoke = (n: number, extra?: Extra): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase: "invoke",
  id: idOf(n),
  body: { text: String(n) },
});
const ok = (n: number, seq = n, extra?: Extra): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase: "ok",
  id: idOf(n),
  seq,
});
const unanswered = (n: number, phase: "fail" | "info", extra?: Extra): ClientRecord => ({
  ...origin(extra),
  op: "send",
  phase,
  id: idOf(n),
  err: "x",
});
const join = (from: number, extra: Extra = { client: EVE }): ClientRecord => ({
  ...origin(extra),
  op: "join",
  phase: "ok",
  from,
});
const see = (seq: number, n = seq, extra: Extra = { client: EVE }): ClientRecord => ({
  ...origin(extra),
  op: "see",
  seq,
  id: idOf(n),
});

function stores(lines: readonly string[], others: Partial<Stores> = {}): Stores {
  const store = storeOf(lines);
  return { log: store, archive: store, history: store, isTrimmed: false, ...others };
}

const LINES = [line(1), line(2), line(3)];
const GOOD: readonly ClientRecord[] = [
  join(1),
  invoke(1),
  invoke(2),
  ok(1),
  see(1),
  ok(2),
  see(2),
  invoke(3),
  ok(3),
  see(3),
];

const broken = (records: readonly ClientRecord[], held: Stores): string[] => [
  ...new Set(check(records, held).violations.map((violation) => violation.invariant)),
];

describe("check", () => {
  it("I1: a good run has no violation, and is counted", () => {
    const { violations, counts } = check(GOOD, stores(LINES));
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: 3, acked: 3, unknown: 0, stored: 3, seen: 3 });
  });

  it("I6: retries after a kill are good when they are answered with one number", () => {
    const records = [
      invoke(1),
      ok(1),
      invoke(2),
      unanswered(2, "info"),
      invoke(2, { conn: 2 }),
      invoke(3, { conn: 2 }),
      ok(2, 2, { conn: 2 }),
      ok(3, 3, { conn: 2 }),
      invoke(1, { conn: 2 }),
      ok(1, 1, { conn: 2 }),
    ];
    const { violations, counts } = check(records, stores(LINES));
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: 3, acked: 3, retried: 2 });
  });

  it("I2: what nobody knows may be stored or not", () => {
    const records = [...GOOD, invoke(4), unanswered(4, "info")];
    expect(broken(records, stores(LINES))).to.deep.equal([]);
    expect(broken(records, stores([...LINES, line(4)]))).to.deep.equal([]);
    expect(check(records, stores(LINES)).counts.unknown).to.equal(1);
  });

  it("I1: finds an acknowledged message that a store lost or has elsewhere", () => {
    const without = stores(LINES.slice(0, 2));
    expect(broken(GOOD, without)).to.include("I1");
    expect(broken(GOOD, stores(LINES, { archive: without.archive }))).to.include("I1");
    expect(broken(GOOD, stores([line(1), line(2, 3), line(3, 2)]))).to.include("I1");
    expect(broken(GOOD, stores([]))).to.include("I1");
  });

  it("I2: finds what was never sent, was refused, or says something else", () => {
    expect(broken(GOOD, stores([...LINES, line(4)]))).to.deep.equal(["I2"]);
    const refused = [...GOOD, invoke(4), unanswered(4, "fail")];
    expect(broken(refused, stores([...LINES, line(4)]))).to.deep.equal(["I2"]);
    expect(broken(refused, stores(LINES))).to.deep.equal([]);
    expect(broken(GOOD, stores([line(1), line(2), line(3, 3, EVE)]))).to.deep.equal(["I2"]);
    const other = line(3).replace('"text":"3"', '"text":"4"');
    expect(broken(GOOD, stores([line(1), line(2), other]))).to.deep.equal(["I2"]);
    expect(broken([ok(9)], stores([]))).to.deep.equal(["I2"]);
  });

  it("I3: finds two answers to what stands at a number", () => {
    const other = storeOf([line(1), line(2), line(3).replace('"at":5', '"at":6')]);
    expect(broken(GOOD, stores(LINES, { archive: other }))).to.deep.equal(["I3"]);
    expect(broken(GOOD, stores(LINES, { history: other }))).to.deep.equal(["I3"]);
    expect(broken(GOOD, stores(LINES, { history: storeOf(LINES.slice(0, 2)) }))).to.deep.equal([
      "I3",
    ]);
    const lying = [...GOOD.slice(0, -1), see(3, 2)];
    expect(broken(lying, stores(LINES))).to.include("I3");
  });

  it("I4: finds holes, repeats and a first number that is not 1", () => {
    const sent = [invoke(1), invoke(2), invoke(3)];
    expect(broken(sent, stores([line(1), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(2), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(1), line(2)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(3), line(2)]))).to.include("I4");
  });

  it("I4: a trimmed log may begin later, or lack a room, and must agree from there on", () => {
    const trimmed = stores(LINES, { log: storeOf(LINES.slice(1)), isTrimmed: true });
    expect(broken(GOOD, trimmed)).to.deep.equal([]);
    expect(broken(GOOD, { ...trimmed, isTrimmed: false })).to.include("I3");
    expect(broken(GOOD, { ...trimmed, log: storeOf([]) })).to.deep.equal([]);
    expect(broken(GOOD, { ...trimmed, log: storeOf([line(2)]) })).to.include.members(["I1", "I3"]);
  });

  it("I5: finds a gap, a repeat, a wrong beginning and an event without a join", () => {
    const sent = [invoke(1), ok(1), invoke(2), ok(2), invoke(3), ok(3)];
    for (const shown of [
      [join(1), see(1), see(3)],
      [join(1), see(1), see(1), see(2)],
      [join(2), see(1)],
      [see(1)],
      [join(1), see(2), see(1)],
    ]) {
      expect(broken([...sent, ...shown], stores(LINES))).to.deep.equal(["I5"]);
    }
    const resumed = [join(1), see(1), join(2, { client: EVE, conn: 2 })];
    const next = see(2, 2, { client: EVE, conn: 2 });
    expect(broken([...sent, ...resumed, next], stores(LINES))).to.deep.equal([]);
  });

  it("I6: finds an id that was answered or stored twice", () => {
    const again = [...GOOD, invoke(2), ok(2, 4)];
    expect(broken(again, stores(LINES))).to.deep.equal(["I6"]);
    expect(broken(GOOD, stores([...LINES, line(4, 2)]))).to.deep.equal(["I6"]);
  });

  it("I7: finds sends of one connection that overtook each other", () => {
    const overtaken = [invoke(2), invoke(1), ok(1), ok(2), invoke(3)];
    expect(broken(overtaken, stores(LINES))).to.deep.equal(["I7"]);
    const onTwo = [invoke(2), invoke(1, { conn: 2 }), ok(1, 1, { conn: 2 }), ok(2), invoke(3)];
    expect(broken(onTwo, stores(LINES))).to.deep.equal([]);
  });

  it("I7: finds a resend of the unknown that a later send overtook, but not one refused", () => {
    const second = { conn: 2 };
    const resend = (phase: "fail" | "info"): ClientRecord[] => [
      invoke(3),
      unanswered(3, phase),
      invoke(3, second),
      invoke(1, second),
      invoke(2, second),
      ...[1, 2, 3].map((n) => ok(n, n, second)),
    ];
    expect(broken(resend("info"), stores(LINES))).to.deep.equal(["I7"]);
    expect(broken(resend("fail"), stores(LINES))).to.deep.equal([]);
  });

  it("I7: still judges an id that was answered and then asked again", () => {
    const overtaken = [invoke(2), invoke(1), ok(1), ok(2), invoke(2), ok(2), invoke(3)];
    expect(broken(overtaken, stores(LINES))).to.deep.equal(["I7"]);
  });

  it("I3: any line lost, doubled, swapped or changed in any store of a good run is found", () => {
    const many = Array.from({ length: 12 }, (_, i) => line(i + 1));
    const run = many.flatMap((_, i) => [invoke(i + 1), ok(i + 1)]);
    const damage = record({
      store: constantFrom("log" as const, "archive" as const, "history" as const),
      kind: constantFrom("lose", "double", "swap", "change"),
      at: nat(10),
    });
    assert(
      property(damage, ({ store, kind, at }) => {
        const lines = [...many];
        const [one = "", two = ""] = [lines[at], lines[at + 1]];
        if (kind === "lose") lines.splice(at, 1);
        if (kind === "double") lines.splice(at, 0, one);
        if (kind === "swap") lines.splice(at, 2, two, one);
        if (kind === "change") lines[at] = one.replace('"at":5', '"at":50');
        const held = stores(many, { [store]: storeOf(lines) });
        return check(run, held).counts.violations > 0;
      }),
    );
  });

  it("I1: records survive a file, and a cut last line is skipped", () => {
    const text = GOOD.map(encodeRecord).join("\n");
    const cut = text.slice(0, -10).split("\n").map(decodeRecord);
    expect(cut.slice(0, -1)).to.deep.equal(GOOD.slice(0, -1));
    expect(cut.at(-1)).to.equal(undefined);
  });
});
