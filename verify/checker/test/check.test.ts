// Check, first half: messages, stores, resumes and the order of sends.
//
// A good run has no violation. For each invariant, hand-made bad runs violate it and no other one.
// mutations.test.ts breaks good runs at random places.

import { expect } from "chai";
import { check } from "../check.ts";
import { decodeRecord, encodeRecord, LOST } from "../record.ts";
import type { ClientRecord, HistoryRecord } from "../record.ts";
import { idOf } from "./good-run.ts";
import {
  ADA,
  EVE,
  ROOM,
  line,
  origin,
  invoke,
  ok,
  unanswered,
  joinRequest,
  joined,
  see,
  logOf,
  entries,
  stores,
  LINES,
  GOOD,
  broken,
  END,
  LOSS,
} from "./record-builders.ts";
import type { Extra } from "./record-builders.ts";

interface Rejoin {
  readonly after?: number;
  readonly from?: number;
  readonly head?: number;
  readonly born: string;
}

describe("check", () => {
  it("I1: finds no violation in a good run, and counts its messages", () => {
    const { violations, counts } = check({ records: GOOD, ...stores(LINES) });
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: 3, acked: 3, unknown: 0, stored: 3, seen: 3 });
  });

  it("I6: accepts retries after a kill when all answers name one number", () => {
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
    const { violations, counts } = check({ records, ...stores(LINES) });
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: 3, acked: 3, retried: 2 });
  });

  it("I2: accepts a message with an uncertain outcome stored and not stored", () => {
    const records = [...GOOD, invoke(4), unanswered(4, "info")];
    expect(broken(records, stores(LINES))).to.deep.equal([]);
    expect(broken(records, stores([...LINES, line(4)]))).to.deep.equal([]);
    expect(check({ records, ...stores(LINES) }).counts.unknown).to.equal(1);
  });

  it("I1: finds an acknowledged message that a store lacks or has at another number", () => {
    const without = stores(LINES.slice(0, 2));
    expect(broken(GOOD, without)).to.include("I1");
    expect(broken(GOOD, stores(LINES, { archive: without.archive }))).to.include("I1");
    expect(broken(GOOD, stores([line(1), line(2, 3), line(3, 2)]))).to.include("I1");
    expect(broken(GOOD, stores([]))).to.include("I1");
  });

  it("I2: finds a stored message that no client sent, that was only refused, or that has another body", () => {
    expect(broken(GOOD, stores([...LINES, line(4)]))).to.deep.equal(["I2"]);
    const refused = [...GOOD, invoke(4), unanswered(4, "fail")];
    expect(broken(refused, stores([...LINES, line(4)]))).to.deep.equal(["I2"]);
    expect(broken(refused, stores(LINES))).to.deep.equal([]);
    expect(broken(GOOD, stores([line(1), line(2), line(3, 3, EVE)]))).to.deep.equal(["I2"]);
    const other = line(3).replace('"text":"3"', '"text":"4"');
    expect(broken(GOOD, stores([line(1), line(2), other]))).to.deep.equal(["I2"]);
    expect(broken([ok(9)], stores([]))).to.include("I2");
    const strange = [...GOOD, see(4)];
    expect(broken(strange, stores(LINES))).to.include("I2");
  });

  it("I3: finds two different events at one number", () => {
    const other = [line(1), line(2), line(3).replace('"at":5', '"at":6')];
    expect(broken(GOOD, stores(LINES, { archive: other, pages: other }))).to.deep.equal(["I3"]);
    const shorter = LINES.slice(0, 2);
    expect(broken([], stores(LINES, { log: logOf(shorter) }))).to.include("I3");
    const lying = [...GOOD.slice(0, -1), see(3, 2)];
    expect(broken(lying, stores(LINES))).to.include("I3");
  });

  it("I15: finds pages that differ from the archive", () => {
    const other = [line(1), line(2), line(3).replace('"at":5', '"at":6')];
    expect(broken(GOOD, stores(LINES, { pages: other }))).to.deep.equal(["I15"]);
    expect(broken(GOOD, stores(LINES, { pages: LINES.slice(0, 2) }))).to.deep.equal(["I15"]);
    const page = (first: number, ...ns: number[]): HistoryRecord[] => [
      { ...origin(), op: "page", phase: "invoke", ref: 1 },
      { ...origin(), op: "page", phase: "ok", ref: 1, first, ids: ns.map(idOf) },
    ];
    expect(broken([...GOOD, ...page(2, 2, 3)], stores(LINES))).to.deep.equal([]);
    expect(broken([...GOOD, ...page(2, 3, 2)], stores(LINES))).to.deep.equal(["I15"]);
    expect(broken([...GOOD, ...page(3, 3, 4)], stores(LINES))).to.deep.equal(["I15"]);
  });

  it("I4: finds gaps, repeats and a first number that is not 1", () => {
    const sent = [invoke(1), invoke(2), invoke(3)];
    expect(broken(sent, stores([line(1), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(2), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(1), line(2)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(3), line(2)]))).to.include("I4");
  });

  it("I4: accepts a trimmed log that begins later, if it agrees with the archive from there on", () => {
    const later = entries(
      logOf(LINES)
        .slice(2)
        .map(({ text }) => text),
      7,
    );
    expect(broken(GOOD, stores(LINES, { log: later }))).to.deep.equal([]);
    expect(broken(GOOD, stores(LINES, { log: logOf(LINES.slice(1)) }))).to.include("I4");
    expect(broken(GOOD, stores(LINES, { log: [] }))).to.include("I1");
    const holed = stores(LINES, { log: later.slice(0, 1) });
    expect(broken(GOOD, holed)).to.include.members(["I1", "I3"]);
  });

  it("I5: finds a gap, a repeat and a wrong first event", () => {
    const sent = [invoke(1), ok(1), invoke(2), ok(2), invoke(3), ok(3), joinRequest()];
    for (const shown of [
      [joined(1), see(1), see(3)],
      [joined(1), see(1), see(1), see(2)],
      [joined(2), see(1)],
      [joined(1), see(2), see(1)],
    ]) {
      expect(broken([...sent, ...shown], stores(LINES))).to.deep.equal(["I5"]);
    }
    const second = { client: EVE, conn: 2 };
    const resumed = [
      joined(1),
      see(1),
      joinRequest(1, second),
      joined(2, second),
      see(2, 2, second),
    ];
    expect(broken([...sent, ...resumed], stores(LINES))).to.deep.equal([]);
  });

  it("I8: finds a resume that begins at another number, catches up too early, or stays behind at the end", () => {
    const second = { client: EVE, conn: 2 };
    const caught = (seq: number): HistoryRecord => ({ ...origin(second), op: "caught", seq });
    const resume = (from: number, head: number): HistoryRecord[] => [
      ...GOOD,
      joinRequest(1, second),
      { ...origin(second), op: "join", phase: "ok", from, head, born: "b" },
    ];
    const all = [see(2, 2, second), see(3, 3, second)];
    expect(broken([...resume(2, 3), ...all, caught(3), END], stores(LINES))).to.deep.equal([]);
    expect(broken(resume(3, 3), stores(LINES))).to.deep.equal(["I8"]);
    const early = [...resume(2, 3), see(2, 2, second), caught(2)];
    expect(broken(early, stores(LINES))).to.deep.equal(["I8"]);
    const short = [...resume(2, 2), see(2, 2, second), caught(2), END];
    expect(broken(short, stores(LINES))).to.deep.equal(["I8"]);
  });

  describe("a room that was recreated", () => {
    const answered = (
      extra: Extra,
      { after, from = (after ?? 0) + 1, head = from - 1, born }: Rejoin,
    ): HistoryRecord[] => [
      joinRequest(after, extra),
      { ...origin(extra), op: "join", phase: "ok", from, head, born },
    ];
    const eve = (conn: number): Extra => ({ client: EVE, conn });
    const ada = (conn: number): Extra => ({ client: ADA, conn });

    it("I8: accepts another first number after a loss, and nothing else", () => {
      const before = answered(eve(1), { born: "old" });
      const again = answered(eve(2), { after: 7, from: 1, born: "new" });
      const afresh = answered(eve(2), { born: "new" });
      expect(broken([...before, LOSS, ...again, ...afresh, END], stores([]))).to.deep.equal([]);
      expect(broken([...before, ...again], stores([])), "no loss").to.deep.equal(["I8"]);
      const second = [
        ...answered(ada(1), { born: "old" }),
        ...before,
        LOSS,
        ...again,
        ...answered(ada(2), { after: 7, from: 1, born: "new" }),
      ];
      expect(broken(second, stores([])), "a client that learns it later").to.deep.equal([]);
      const same = answered(eve(2), { after: 7, from: 1, born: "old" });
      expect(broken([...before, LOSS, ...same], stores([])), "no recreation").to.deep.equal(["I8"]);
    });

    // Message 1 is lost; message 2 gets its number in the recreated room.
    const lost = [
      ...answered(eve(1), { born: "" }),
      invoke(1),
      unanswered(1, "info"),
      see(1, 1, eve(1)),
    ];
    const kept = answered(eve(2), { after: 1, head: 1, born: idOf(2) });
    const stored = stores([line(1, 2)]);

    it("I8: finds a client that kept an event of the lost room, also when the room was empty at its first join", () => {
      const sent = [invoke(2), ok(2, 1)];
      const keeps = [...lost, LOSS, ...sent, ...kept];
      expect(broken([...keeps, END], stored)).to.deep.equal(["I8"]);
      const later = answered(eve(3), { after: 1, head: 1, born: idOf(2) });
      expect(broken([...keeps, ...later, END], stored), "and again").to.deep.equal(["I8"]);
      const discards = [
        ...keeps,
        ...answered(eve(2), { after: 0, head: 1, born: idOf(2) }),
        see(1, 2, eve(2)),
      ];
      expect(broken([...discards, END], stored)).to.deep.equal([]);
    });

    it("I3: the events of a lost birth need not be stored, those of the new one must be", () => {
      const joins = answered(eve(2), { after: 0, head: 1, born: idOf(2) });
      const sent = [invoke(2), ok(2, 1)];
      const run = [...lost, LOSS, ...sent, ...joins, see(1, 2, eve(2))];
      expect(broken(run, stored)).to.deep.equal([]);
      expect(broken([...lost, ...sent], stored), "nothing was lost").to.deep.equal(["I3"]);
      const other = [...run, invoke(3), unanswered(3, "info"), see(2, 3, eve(2))];
      expect(broken(other, stored), "an event of the new birth").to.deep.equal(["I3"]);
      const silent = [...lost, LOSS, ...sent];
      expect(broken(silent, stored), "no client joined the room again").to.deep.equal([]);
    });
  });

  it("I9: finds an event outside a membership", () => {
    const left = (phase: "invoke" | "ok"): HistoryRecord => {
      return { ...origin({ client: EVE }), op: "leave", phase, room: ROOM };
    };
    const sent = [invoke(1), ok(1), invoke(2), ok(2), invoke(3), ok(3)];
    expect(broken([...sent, see(1)], stores(LINES))).to.deep.equal(["I9"]);
    const during = [joinRequest(), joined(1), see(1), left("invoke"), see(2), left("ok")];
    expect(broken([...sent, ...during], stores(LINES))).to.deep.equal([]);
    expect(broken([...sent, ...during, see(3)], stores(LINES))).to.deep.equal(["I9"]);
  });

  it("I6: finds an id with two different answers, or stored twice", () => {
    const again = [...GOOD, invoke(2), ok(2, 4)];
    expect(broken(again, stores(LINES))).to.deep.equal(["I6"]);
    expect(broken(GOOD, stores([...LINES, line(4, 2)]))).to.deep.equal(["I6"]);
  });

  it("I7: finds two sends of one connection in the wrong order", () => {
    const overtaken = [invoke(2), invoke(1), ok(1), ok(2), invoke(3), ok(3)];
    expect(broken(overtaken, stores(LINES))).to.deep.equal(["I7"]);
    const onTwo = [
      invoke(2),
      invoke(1, { conn: 2 }),
      ok(1, 1, { conn: 2 }),
      ok(2),
      invoke(3),
      ok(3),
    ];
    expect(broken(onTwo, stores(LINES))).to.deep.equal([]);
  });

  it("I7: judges the order of a resend after a lost connection, but not after a refusal", () => {
    const second = { conn: 2 };
    const resend = (err: string): ClientRecord[] => [
      invoke(3),
      unanswered(3, "info", err),
      invoke(3, second),
      invoke(1, second),
      invoke(2, second),
      ...[1, 2, 3].map((n) => ok(n, n, second)),
    ];
    expect(broken(resend(LOST), stores(LINES))).to.deep.equal(["I7"]);
    expect(broken(resend("unavailable"), stores(LINES))).to.deep.equal([]);
  });

  /**
   * The server refuses 1 and 2 in this order. Then the client sends `again[0]`, which gets number
   * 1, and so on.
   */
  const sentAgain = (err: string, again: readonly number[], t = 0): ClientRecord[] => [
    ...[1, 2].flatMap((n) => [invoke(n), unanswered(n, "fail", err)]),
    ...again.flatMap((n, i) => [invoke(n, { t }), ok(n, i + 1, { t })]),
  ];
  const swapped = stores([line(1, 2), line(2, 1)]);
  const inOrder = stores([line(1, 1), line(2, 2)]);

  for (const err of ["busy", "rate_limited", "unavailable", "internal"]) {
    it(`I7: a send that got ${err} keeps the place of its first send`, () => {
      expect(broken(sentAgain(err, [1, 2]), inOrder)).to.deep.equal([]);
      expect(broken(sentAgain(err, [2, 1]), swapped)).to.deep.equal(["I7"]);
    });
  }

  it("I7: finds a send that passed a refused one", () => {
    const records = (first: number[]): ClientRecord[] => [
      invoke(1),
      unanswered(1, "fail", "busy"),
      ...[...first, 1].flatMap((n, i) => [invoke(n), ok(n, i + 1)]),
    ];
    expect(broken(records([2]), swapped)).to.deep.equal(["I7"]);
    // On another connection a retry has its place there.
    const second = { conn: 2 };
    const moved = [
      ...sentAgain("busy", []),
      { ...origin(), op: "close", phase: "info" } as const,
      ...[2, 1].flatMap((n, i) => [invoke(n, second), ok(n, i + 1, second)]),
    ];
    expect(broken(moved, swapped)).to.deep.equal([]);
  });

  it("I7: does not judge the order after 30 s without a retry, a leave, or a permanent error", () => {
    expect(broken(sentAgain("busy", [2, 1], 30_000), swapped)).to.deep.equal([]);
    expect(broken(sentAgain("busy", [2, 1], 20_000), swapped)).to.deep.equal(["I7"]);
    expect(broken(sentAgain("not_joined", [2, 1]), swapped)).to.deep.equal([]);
    const left = (phase: "invoke" | "ok"): HistoryRecord => ({ ...origin(), op: "leave", phase });
    const records = [
      ...sentAgain("busy", []),
      left("invoke"),
      left("ok"),
      ...[2, 1].flatMap((n, i) => [invoke(n), ok(n, i + 1)]),
    ];
    expect(broken(records, swapped)).to.deep.equal([]);
  });

  it("I7: a message that names an event which no client knew of has no place", () => {
    // Both are lost with the connection. The owner had refused 1, and has stored 2.
    const second = { conn: 2 };
    const records = (target: number): ClientRecord[] => [
      invoke(9, { client: EVE }),
      ok(9, 1, { client: EVE }),
      { ...invoke(1), target } as ClientRecord,
      invoke(2),
      ...[1, 2].map((n) => unanswered(n, "info")),
      ...[1, 2].map((n) => invoke(n, second)),
      ok(2, 2, second),
      ok(1, 3, second),
    ];
    const held = stores([line(1, 9, EVE), line(2, 2), line(3, 1)]);
    expect(broken(records(2), held)).to.deep.equal([]);
    expect(broken(records(1), held), "an acknowledged event").to.deep.equal(["I7"]);
    const other = { client: EVE, conn: 3 };
    const seen = [joinRequest(undefined, other), joined(1, other)];
    const known = [...seen, see(1, 9, other), see(2, 2, other), ...records(2)];
    expect(broken(known, held), "a received event").to.include("I7");
  });

  it("I7: does not judge a refused send beyond the places that the server keeps", () => {
    const many = Array.from({ length: 256 }, (_, i) => i + 10);
    const refuse = (n: number): ClientRecord[] => [invoke(n), unanswered(n, "fail", "busy")];
    const records = [
      ...many.flatMap(refuse),
      ...[1, 2].flatMap(refuse),
      ...[2, 1].flatMap((n, i) => [invoke(n), ok(n, i + 1)]),
    ];
    expect(broken(records, swapped)).to.deep.equal([]);
  });

  it("I7: judges an id that was acknowledged and then sent again", () => {
    const overtaken = [invoke(2), invoke(1), ok(1), ok(2), invoke(2), ok(2), invoke(3), ok(3)];
    expect(broken(overtaken, stores(LINES))).to.deep.equal(["I7"]);
  });

  it("I1: reads records back from text, and skips a cut last line", () => {
    const text = GOOD.map(encodeRecord).join("\n");
    const cut = text.slice(0, -10).split("\n").map(decodeRecord);
    expect(cut.slice(0, -1)).to.deep.equal(GOOD.slice(0, -1));
    expect(cut.at(-1)).to.equal(undefined);
  });
});
