// Checker: pace. Messages and edits in time have no violation; each early or late one has.

import { expect } from "chai";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { check } from "../check.ts";
import type { HistoryRecord } from "../record.ts";

const T0 = 1_795_500_000_000;

type Draft = readonly [t: string, from: string, atMs: number, more?: object];

function judged(drafts: readonly Draft[]): string[] {
  const lines = drafts.map(([t, from, atMs, more], i) =>
    JSON.stringify({
      t,
      room: "plans",
      seq: i + 1,
      id: `i${i + 1}`,
      from,
      at: T0 + atMs,
      ...(t === "msg" || t === "edited" ? { body: {} } : {}),
      ...more,
    }),
  );
  const records = drafts.flatMap(([t, client, atMs, more], i): HistoryRecord[] => {
    const id = `i${i + 1}` as MessageId;
    const on = {
      client: client as UserId,
      conn: 1,
      room: "plans" as RoomId,
      op: "send",
      id,
    } as const;
    const { ackMs = atMs + 1 } = (more ?? {}) as { ackMs?: number };
    if (t !== "msg") return [];
    return [
      { ...on, t: atMs, phase: "invoke" },
      { ...on, t: ackMs, phase: "ok", seq: i + 1 },
    ];
  });
  return check({ records, archive: lines, log: [] })
    .violations.filter(
      ({ invariant, detail }) => invariant !== "I2" && /slow mode|window/.test(detail),
    )
    .map(({ invariant, detail }) => `${invariant} ${detail.split(":")[0]}`);
}

const CREATED: readonly Draft[] = [
  ["room", "ada", 0, { kind: "closed", slowMode: 2, editWindow: 1 }],
  ["member", "ada", 0, { user: "ada", role: "owner" }],
  ["member", "ada", 0, { user: "ben", role: "member" }],
];

describe("check: pace", () => {
  it("I16: a member waits for the slow mode, an owner does not", () => {
    const early: Draft = ["msg", "ben", 1_901];
    const first: Draft = ["msg", "ben", 1];
    expect(judged([...CREATED, first, ["msg", "ben", 2_001]])).to.deep.equal([]);
    expect(judged([...CREATED, first, early])).to.deep.equal(["I16 plans 5"]);
    expect(judged([...CREATED, ["msg", "ada", 1], ["msg", "ada", 2]])).to.deep.equal([]);
    // The owner's clock went back: the lines say nothing, and the client waited.
    const waited: Draft = ["msg", "ben", 2, { ackMs: 2_002 }];
    expect(judged([...CREATED, first, waited])).to.deep.equal([]);
    const kept: Draft = ["room", "ada", 2, { kind: "closed", slowMode: 2, title: "Plans" }];
    expect(judged([...CREATED, first, kept, early])).to.deep.equal(["I16 plans 6"]);
    const again: Draft = ["room", "ada", 2, { kind: "closed", slowMode: 9 }];
    expect(judged([...CREATED, first, again, early])).to.deep.equal([]);
  });

  it("I16: a time that the event before has too says nothing about the owner's clock", () => {
    const ahead: Draft = ["msg", "ada", 9_000];
    const early: Draft = ["msg", "ben", 9_001];
    // The clock went back behind `ahead`. From then on it can also jump ahead without a trace.
    expect(judged([...CREATED, ahead, ["msg", "ben", 9_000], early])).to.deep.equal([]);
    expect(judged([...CREATED, ["msg", "ben", 8_999], ahead, ["msg", "ben", 9_000]])).to.deep.equal(
      [],
    );
    expect(judged([...CREATED, ["msg", "ben", 8_999], ahead, early])).to.deep.equal([
      "I16 plans 6",
    ]);
  });

  it("I17: an edit behind the window is a violation", () => {
    const message: Draft = ["msg", "ben", 5];
    const edit = (atMs: number): Draft => ["edited", "ben", atMs, { target: 4 }];
    expect(judged([...CREATED, message, edit(1_005)])).to.deep.equal([]);
    expect(judged([...CREATED, message, edit(1_006)])).to.deep.equal(["I17 plans 5"]);
    const none: Draft = ["room", "ada", 6, { kind: "closed" }];
    expect(judged([...CREATED, message, none, edit(9_006)])).to.deep.equal([]);
  });
});
