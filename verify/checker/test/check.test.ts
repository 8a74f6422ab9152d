// The checker's own tests: a good run is clean, and each kind of bad run is caught for what it is.
//
// A checker that cannot fail proves nothing, so every invariant has a history broken by hand, and a
// property breaks good histories at random places.

import { expect } from "chai";
import { check } from "../check.ts";
import { decodeRecord, encodeRecord, LOST } from "../record.ts";
import type { ClientRecord, HistoryRecord } from "../record.ts";
import { idOf } from "./good-run.ts";
import {
  EVE,
  ROOM,
  line,
  origin,
  invoke,
  ok,
  unanswered,
  asked,
  join,
  see,
  logOf,
  entries,
  stores,
  LINES,
  GOOD,
  broken,
  END,
} from "./vocabulary.ts";

describe("check", () => {
  it("I1: a good run has no violation, and is counted", () => {
    const { violations, counts } = check({ records: GOOD, ...stores(LINES) });
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
    const { violations, counts } = check({ records, ...stores(LINES) });
    expect(violations).to.deep.equal([]);
    expect(counts).to.include({ sent: 3, acked: 3, retried: 2 });
  });

  it("I2: what nobody knows may be stored or not", () => {
    const records = [...GOOD, invoke(4), unanswered(4, "info")];
    expect(broken(records, stores(LINES))).to.deep.equal([]);
    expect(broken(records, stores([...LINES, line(4)]))).to.deep.equal([]);
    expect(check({ records, ...stores(LINES) }).counts.unknown).to.equal(1);
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
    expect(broken([ok(9)], stores([]))).to.include("I2");
    const strange = [...GOOD, see(4)];
    expect(broken(strange, stores(LINES))).to.include("I2");
  });

  it("I3: finds two answers to what stands at a number", () => {
    const other = [line(1), line(2), line(3).replace('"at":5', '"at":6')];
    expect(broken(GOOD, stores(LINES, { archive: other, pages: other }))).to.deep.equal(["I3"]);
    const shorter = LINES.slice(0, 2);
    expect(broken([], stores(LINES, { log: logOf(shorter) }))).to.include("I3");
    const lying = [...GOOD.slice(0, -1), see(3, 2)];
    expect(broken(lying, stores(LINES))).to.include("I3");
  });

  it("I15: finds pages that differ from the archive, or that never were", () => {
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

  it("I4: finds holes, repeats and a first number that is not 1", () => {
    const sent = [invoke(1), invoke(2), invoke(3)];
    expect(broken(sent, stores([line(1), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(2), line(3)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(1), line(2)]))).to.include("I4");
    expect(broken(sent, stores([line(1), line(3), line(2)]))).to.include("I4");
  });

  it("I4: a trimmed log may begin later, or lack a room, and must agree from there on", () => {
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

  it("I5: finds a gap, a repeat and a wrong beginning", () => {
    const sent = [invoke(1), ok(1), invoke(2), ok(2), invoke(3), ok(3), asked()];
    for (const shown of [
      [join(1), see(1), see(3)],
      [join(1), see(1), see(1), see(2)],
      [join(2), see(1)],
      [join(1), see(2), see(1)],
    ]) {
      expect(broken([...sent, ...shown], stores(LINES))).to.deep.equal(["I5"]);
    }
    const second = { client: EVE, conn: 2 };
    const resumed = [join(1), see(1), asked(1, second), join(2, second), see(2, 2, second)];
    expect(broken([...sent, ...resumed], stores(LINES))).to.deep.equal([]);
  });

  it("I8: finds a resume that begins elsewhere, ends early, or never gets to the end", () => {
    const second = { client: EVE, conn: 2 };
    const caught = (seq: number): HistoryRecord => ({ ...origin(second), op: "caught", seq });
    const resume = (from: number, head: number): HistoryRecord[] => [
      ...GOOD,
      asked(1, second),
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

  it("I8: allows another beginning when the room was born again", () => {
    const reborn = (conn: number, from: number, after: number, born: string): HistoryRecord[] => [
      asked(after, { client: EVE, conn }),
      { ...origin({ client: EVE, conn }), op: "join", phase: "ok", from, born },
    ];
    const records = [...reborn(1, 1, 0, "old"), ...reborn(2, 1, 7, "new")];
    expect(broken(records, stores([]))).to.deep.equal([]);
    expect(
      broken([...reborn(1, 1, 0, "old"), ...reborn(2, 1, 7, "old")], stores([])),
    ).to.deep.equal(["I8"]);
  });

  it("I9: finds an event outside a membership", () => {
    const left = (phase: "invoke" | "ok"): HistoryRecord => {
      return { ...origin({ client: EVE }), op: "leave", phase, room: ROOM };
    };
    const sent = [invoke(1), ok(1), invoke(2), ok(2), invoke(3), ok(3)];
    expect(broken([...sent, see(1)], stores(LINES))).to.deep.equal(["I9"]);
    const during = [asked(), join(1), see(1), left("invoke"), see(2), left("ok")];
    expect(broken([...sent, ...during], stores(LINES))).to.deep.equal([]);
    expect(broken([...sent, ...during, see(3)], stores(LINES))).to.deep.equal(["I9"]);
  });

  it("I6: finds an id that was answered or stored twice", () => {
    const again = [...GOOD, invoke(2), ok(2, 4)];
    expect(broken(again, stores(LINES))).to.deep.equal(["I6"]);
    expect(broken(GOOD, stores([...LINES, line(4, 2)]))).to.deep.equal(["I6"]);
  });

  it("I7: finds sends of one connection that overtook each other", () => {
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

  it("I7: finds a resend of the unknown that a later send overtook, but not one refused", () => {
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
   * 1 and 2 are refused in this order and then sent again: first `again[0]`, which gets number 1.
   */
  const sentAgain = (err: string, again: readonly number[], t = 0): ClientRecord[] => [
    ...[1, 2].flatMap((n) => [invoke(n), unanswered(n, "fail", err)]),
    ...again.flatMap((n, i) => [invoke(n, { t }), ok(n, i + 1, { t })]),
  ];
  const swapped = stores([line(1, 2), line(2, 1)]);
  const inOrder = stores([line(1, 1), line(2, 2)]);

  for (const err of ["busy", "rate_limited", "unavailable", "internal"]) {
    it(`I7: a send that got ${err} keeps the place of its first sending`, () => {
      expect(broken(sentAgain(err, [1, 2]), inOrder)).to.deep.equal([]);
      expect(broken(sentAgain(err, [2, 1]), swapped)).to.deep.equal(["I7"]);
    });
  }

  it("I7: finds a send that overtook a refused one without being refused itself", () => {
    const records = (first: number[]): ClientRecord[] => [
      invoke(1),
      unanswered(1, "fail", "busy"),
      ...[...first, 1].flatMap((n, i) => [invoke(n), ok(n, i + 1)]),
    ];
    expect(broken(records([2]), swapped)).to.deep.equal(["I7"]);
    // What the client sends again on another connection has its place there.
    const second = { conn: 2 };
    const moved = [
      ...sentAgain("busy", []),
      { ...origin(), op: "close", phase: "info" } as const,
      ...[2, 1].flatMap((n, i) => [invoke(n, second), ok(n, i + 1, second)]),
    ];
    expect(broken(moved, swapped)).to.deep.equal([]);
  });

  it("I7: a client gives the order up: by 30 s, by leaving, and by an error that does not pass", () => {
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

  it("I7: beyond the places that the server remembers, a refused send may stand anywhere", () => {
    const many = Array.from({ length: 256 }, (_, i) => i + 10);
    const refuse = (n: number): ClientRecord[] => [invoke(n), unanswered(n, "fail", "busy")];
    const records = [
      ...many.flatMap(refuse),
      ...[1, 2].flatMap(refuse),
      ...[2, 1].flatMap((n, i) => [invoke(n), ok(n, i + 1)]),
    ];
    expect(broken(records, swapped)).to.deep.equal([]);
  });

  it("I7: still judges an id that was answered and then asked again", () => {
    const overtaken = [invoke(2), invoke(1), ok(1), ok(2), invoke(2), ok(2), invoke(3), ok(3)];
    expect(broken(overtaken, stores(LINES))).to.deep.equal(["I7"]);
  });

  it("I1: records survive a file, and a cut last line is skipped", () => {
    const text = GOOD.map(encodeRecord).join("\n");
    const cut = text.slice(0, -10).split("\n").map(decodeRecord);
    expect(cut.slice(0, -1)).to.deep.equal(GOOD.slice(0, -1));
    expect(cut.at(-1)).to.equal(undefined);
  });
});
