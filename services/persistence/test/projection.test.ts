// How a log entry is archived: as rows, as unread texts, or not at all.

import { expect } from "chai";
import * as fc from "fast-check";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { MessageId, ProcessId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { keepWhole, projectEntry } from "../core/projection.ts";

const ROOM = "general" as RoomId;
const NODE = "room-a" as ProcessId;
const ID = "01990000-0000-7000-8000-000000000001" as MessageId;
const ADA = "ada" as UserId;
const TRACE = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

const GOOD = { t: "msg", room: ROOM, seq: 5, id: ID, from: ADA, at: 17, body: "hello" };

function commit(lines: readonly string[], epoch = 3, first: Seq = 5): string {
  const groups = [{ room: ROOM, first, lines }];
  return encodeEntry({ kind: "commit", epoch, node: NODE, at: 0, groups });
}

/** The reason for which a line is not an event. */
function reasonOf(line: string): string | undefined {
  const { events, unread } = projectEntry(9, commit([line]), 3);
  expect(events.length + unread.length).to.equal(1); // projection.1
  if (unread[0] === undefined) return undefined;
  const { reason, ...rest } = unread[0];
  expect(rest).to.deep.equal({ entry: 9, place: { room: ROOM, seq: 5 }, text: line });
  return reason;
}

describe("Projection", () => {
  it("projection.1, projection.2: each line in force becomes an event with the keys in the line", () => {
    const lines = [5, 6].map((seq) => JSON.stringify({ ...GOOD, seq }));
    expect(projectEntry(9, commit(lines), 3)).to.deep.equal({
      seq: 9,
      epoch: 3,
      isVoid: false,
      isRelease: false,
      events: lines.map((line, i) => {
        return { room: ROOM, seq: 5 + i, kind: "msg", id: ID, sender: ADA, at: 17, line };
      }),
      unread: [],
      traces: undefined,
    });
  });

  it("E2: keeps an event's trace context", () => {
    const groups = [{ room: ROOM, first: 5, lines: [JSON.stringify(GOOD)] }];
    const entry = { kind: "commit", epoch: 3, node: NODE, at: 0, groups, traces: [TRACE] } as const;
    expect(projectEntry(9, encodeEntry(entry), 3).traces).to.deep.equal([TRACE]);
  });

  it("projection.1, projection.2: keeps a line that is no event as unread, with its place and the reason", () => {
    const changed = (change: object): string => JSON.stringify({ ...GOOD, ...change });
    expect(reasonOf(JSON.stringify(GOOD))).to.equal(undefined);
    expect(reasonOf("[1]")).to.equal("the line is not a JSON object");
    expect(reasonOf("{")).to.equal("the line is not a JSON object");
    expect(reasonOf(changed({ room: "other" }))).to.equal(
      "the line names another room or sequence number",
    );
    expect(reasonOf(changed({ seq: 6 }))).to.equal(
      "the line names another room or sequence number",
    );
    expect(reasonOf(changed({ t: 7 }))).to.equal("the line has no kind");
    expect(reasonOf(changed({ t: undefined }))).to.equal("the line has no kind");
    expect(reasonOf(changed({ t: "a\u0000" }))).to.equal("the line has no kind");
    expect(reasonOf(changed({ id: "1" }))).to.equal("the id is not a UUIDv7");
    expect(reasonOf(changed({ from: "" }))).to.equal("the sender is not a user id");
    expect(reasonOf(changed({ at: 1.5 }))).to.equal("the time is not a whole number");
    expect(reasonOf(`${JSON.stringify({ ...GOOD, body: "" }).slice(0, -2)}\ud800"}`)).to.equal(
      "the line holds text that cannot be stored",
    );
  });

  it("projection.4: a void commit becomes nothing and ends the epoch in which it stands", () => {
    const nothing = { seq: 9, isRelease: false, events: [], unread: [] };
    const text = commit([JSON.stringify(GOOD)]);
    expect(projectEntry(9, text, 2)).to.deep.equal({ ...nothing, epoch: 0, isVoid: true });
  });

  it("projection.4: a claim begins an epoch; only the release of the epoch in force is one", () => {
    const nothing = { seq: 9, isVoid: false, events: [], unread: [] };
    const own = encodeEntry({ kind: "claim", node: NODE, at: 0 });
    expect(projectEntry(9, own, 3)).to.deep.equal({ ...nothing, epoch: 9, isRelease: false });
    const release = encodeEntry({ kind: "release", node: NODE, epoch: 3, at: 0 });
    expect(projectEntry(9, release, 3)).to.deep.equal({ ...nothing, epoch: 3, isRelease: true });
    expect(projectEntry(9, release, 2)).to.deep.equal({ ...nothing, epoch: 2, isRelease: false });
    // A commit of the epoch in force is no release, although its epoch is the same.
    expect(projectEntry(9, commit([]), 3)).to.include({ isRelease: false, isVoid: false });
  });

  it("projection.3: keeps an undecodable entry whole, in the epoch before it", () => {
    const placed = JSON.stringify({ ...GOOD, seq: 1 });
    const reason = "the header is not JSON";
    const kept = { seq: 9, epoch: 3, isVoid: false, isRelease: false, events: [] };
    expect(projectEntry(9, `odd\n${placed}\n{"seq":5}`, 3)).to.deep.equal({
      ...kept,
      unread: [
        { entry: 9, text: `odd\n{"seq":5}`, reason },
        { entry: 9, place: { room: ROOM, seq: 1 }, text: placed, reason },
      ],
    });
    expect(keepWhole(9, placed, 3, "why")).to.deep.equal({
      ...kept,
      unread: [{ entry: 9, place: { room: ROOM, seq: 1 }, text: placed, reason: "why" }],
    });
  });

  it("projection.3: keeps a line without a valid place as text without a place", () => {
    for (const change of [{ seq: 0 }, { seq: 1.5 }, { seq: "1" }, { room: "a b" }, { room: 1 }]) {
      const text = JSON.stringify({ ...GOOD, ...change });
      expect(keepWhole(9, text, 3, "why").unread).to.deep.equal([
        { entry: 9, text, reason: "why" },
      ]);
    }
  });

  it("projection.3, projection.5: no text throws, and no byte of an undecodable entry is lost", () => {
    const header = fc.constantFrom("", "{", `{"v":1}`, `{"v":2,"kind":"claim"}`, "[]", "null");
    const line = fc.oneof(fc.string(), fc.constant(JSON.stringify(GOOD)), fc.json());
    fc.assert(
      fc.property(header, fc.array(line), (first, lines) => {
        const text = [first, ...lines].join("\n");
        const { events, unread } = projectEntry(9, text, 3);
        expect(events).to.deep.equal([]);
        const kept = unread.flatMap((item) => item.text.split("\n")).toSorted();
        expect(kept).to.deep.equal(text.split("\n").toSorted());
      }),
    );
  });
});
