// Log entries: the decoder returns the encoded entry, and refuses every other text.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeEntry, encodeEntry, epochAfter, isVoid } from "../entry.ts";
import type { LogEntry } from "../entry.ts";
import { decodeEvent, encodeEvent, UnreadableLine } from "../events.ts";
import type { ProcessId, RoomId } from "../ids.ts";
import * as arbitrary from "./arbitraries.ts";

const NODE = "room-a1" as ProcessId;
const HEADER = { v: 1, kind: "commit", epoch: 7, node: NODE, at: 5 };

describe("Entry", () => {
  it("P7: is text: the header first, then the lines grouped by room", () => {
    const groups = [
      { room: "general" as RoomId, first: 41, lines: ['{"t":"msg","n":1}', '{"t":"msg","n":2}'] },
      { room: "dev" as RoomId, first: 9, lines: ['{"t":"msg","n":3}'] },
    ];
    const text = encodeEntry({ kind: "commit", epoch: 812, node: NODE, at: 1_795, groups });
    expect(text.split("\n")).to.deep.equal([
      '{"v":1,"kind":"commit","epoch":812,"node":"room-a1","at":1795,"rooms":[["general",41,2],["dev",9,1]]}',
      '{"t":"msg","n":1}',
      '{"t":"msg","n":2}',
      '{"t":"msg","n":3}',
    ]);
    expect(encodeEntry({ kind: "claim", node: NODE, at: 5 })).to.equal(
      '{"v":1,"kind":"claim","node":"room-a1","at":5}',
    );
  });

  it("reads a claim that an older version stored", () => {
    const stored = decodeEntry('{"v":1,"kind":"own","node":"room-a1","at":5}');
    expect(stored).to.deep.equal({ kind: "claim", node: NODE, at: 5 });
  });

  it("F7: decodes any entry that was encoded, with its lines byte for byte", () => {
    fc.assert(
      fc.property(arbitrary.entry, (entry) => {
        expect(decodeEntry(encodeEntry(entry))).to.deep.equal(entry);
      }),
    );
  });

  it("F7: an event is one line, and the line alone has the whole event", () => {
    fc.assert(
      fc.property(arbitrary.event, (event) => {
        const line = encodeEvent(event);
        expect(line).not.to.match(/[\n\r]/);
        expect(decodeEvent(line)).to.deep.equal(event);
        expect(encodeEvent(decodeEvent(line))).to.equal(line);
      }),
    );
  });

  it("events.4: a line that is no event gets one typed error, without its text", () => {
    for (const line of ["", "secret", '"secret"', "[1]", "null", "{}", '{"seq":1,"at":"secret"}']) {
      expect(() => decodeEvent(line), line)
        .to.throw(UnreadableLine, `a line of ${line.length} characters is not an event`)
        .with.property("message")
        .that.does.not.contain("secret");
    }
  });

  it("N5: an entry that is cut anywhere is unreadable or the same entry, never another one", () => {
    const groups = [{ room: "general" as RoomId, first: 1, lines: ['{"a":1}', '{"b":"é🎉"}'] }];
    const entry: LogEntry = { kind: "commit", epoch: 7, node: NODE, at: 5, groups };
    const text = encodeEntry(entry);
    for (let length = 0; length < text.length; length++) {
      const decoded = decodeEntry(text.slice(0, length));
      if (decoded.kind === "unreadable") continue;
      // The cut is inside the last line. The header still agrees with the entry, and the archiver
      // puts the broken line into quarantine.
      expect(decoded.kind).to.equal("commit");
      expect(length).to.be.greaterThan(text.lastIndexOf("\n"));
    }
  });

  it("N5: a text that is not an entry of this version is unreadable, with a reason", () => {
    const cases: [string, unknown][] = [
      ["a later version", { ...HEADER, v: 2, rooms: [] }],
      ["a version that cannot be shown", { ...HEADER, v: { toString: 1, valueOf: 1 }, rooms: [] }],
      ["an unknown kind", { ...HEADER, kind: "rollback", rooms: [] }],
      ["a kind of another type", { ...HEADER, kind: ["commit"], rooms: [] }],
      ["no rooms", HEADER],
      ["rooms that are no list", { ...HEADER, rooms: { length: 0 } }],
      ["a room that is no list", { ...HEADER, rooms: ["general"] }],
      ["a room id that no room has", { ...HEADER, rooms: [["a.b", 1, 0]] }],
      ["a first number of 0", { ...HEADER, rooms: [["general", 0, 0]] }],
      ["no epoch", { ...HEADER, epoch: undefined, rooms: [] }],
      ["an epoch below 0", { ...HEADER, epoch: -1, rooms: [] }],
      ["no node", { ...HEADER, node: undefined, rooms: [] }],
      ["a node that is no process", { ...HEADER, node: "a.b", rooms: [] }],
      ["no time", { ...HEADER, at: "now", rooms: [] }],
      ["a claim without a node", { v: 1, kind: "claim", at: 5 }],
      ["a list", []],
      ["null", null],
    ];
    for (const [what, header] of cases) {
      const decoded = decodeEntry(JSON.stringify(header));
      expect(decoded.kind, what).to.equal("unreadable");
      expect(decoded, what).to.have.property("reason").that.has.length.within(1, 100);
    }
  });

  it("N8: only an entry of a higher version counts as newer", () => {
    const isNewer = (header: object): unknown => {
      const decoded = decodeEntry(JSON.stringify(header));
      return decoded.kind === "unreadable" && decoded.isNewer;
    };
    expect(isNewer({ ...HEADER, v: 2, rooms: [] })).to.equal(true);
    expect(isNewer({ v: 2, kind: "merge" })).to.equal(true);
    for (const header of [
      { ...HEADER, kind: "merge", rooms: [] },
      { ...HEADER, v: 0, rooms: [] },
      { ...HEADER, v: "2", rooms: [] },
      { ...HEADER, v: 1.5, rooms: [] },
      { ...HEADER, node: undefined, rooms: [] },
    ]) {
      expect(isNewer(header), JSON.stringify(header)).to.equal(undefined);
    }
  });

  it("N5: an entry whose counts do not match its lines is unreadable", () => {
    const lines = '\n{"a":1}\n{"b":2}';
    const verdict = (rooms: unknown): string =>
      decodeEntry(JSON.stringify({ ...HEADER, rooms }) + lines).kind;
    expect(verdict([["general", 1, 2]])).to.equal("commit");
    expect(verdict([["general", 1, 1]])).to.equal("unreadable");
    expect(verdict([["general", 1, 3]])).to.equal("unreadable");
    expect(verdict([["general", 1, 1e300]])).to.equal("unreadable");
    expect(
      verdict([
        ["general", 1, 0.5],
        ["dev", 1, 1.5],
      ]),
    ).to.equal("unreadable");
    // The sum of these two is right, and both rooms would get the same line.
    expect(
      verdict([
        ["general", 1, -1],
        ["dev", 1, 3],
      ]),
    ).to.equal("unreadable");
  });

  it("N5: no text makes the decoder throw", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      arbitrary.hostileJson,
      fc.tuple(arbitrary.hostileJson, arbitrary.hostileJson).map((parts) => parts.join("\n")),
      fc
        .tuple(fc.dictionary(fc.constantFrom(...Object.keys(HEADER), "rooms"), fc.jsonValue()))
        .map(([broken]) => JSON.stringify({ ...HEADER, rooms: [], ...broken })),
    );
    fc.assert(
      fc.property(text, (text) => {
        expect(decodeEntry(text)).to.have.property("kind");
      }),
      { numRuns: 1_000 },
    );
  });

  it("P15: a commit is void unless its epoch is the newest claim's, and so are later commits before a claim", () => {
    const own: LogEntry = { kind: "claim", node: NODE, at: 5 };
    const commit = (epoch: number): LogEntry => ({
      kind: "commit",
      epoch,
      node: NODE,
      at: 5,
      groups: [],
    });
    // The log: 10 claim, 11 commit of 10, 12 claim, 13 commit of 10 (it fits after the claim), …
    const log: [number, LogEntry][] = [
      [10, own],
      [11, commit(10)],
      [12, own],
      [13, commit(10)],
      // The log refused the commit before this one, because 13 was taken: there would be a gap.
      [14, commit(12)],
      [15, own],
      [16, commit(15)],
    ];
    let epoch = 3;
    const verdicts = log.map(([seq, entry]) => {
      const verdict = isVoid(epoch, entry);
      epoch = epochAfter(epoch, seq, entry);
      return verdict;
    });
    expect(verdicts).to.deep.equal([false, false, false, true, true, false, false]);
    expect(epoch).to.equal(15);
  });

  it("entry.5: a split has version 2, and nothing else of that version is read", () => {
    const split = { kind: "split", epoch: 4, node: "room-a" as ProcessId, at: 7, of: 8 } as const;
    const text = encodeEntry(split);
    expect(JSON.parse(text)).to.include({ v: 2 });
    expect(decodeEntry(text)).to.deep.equal(split);
    const without = { ...(JSON.parse(text) as object), of: undefined };
    expect(decodeEntry(JSON.stringify(without))).to.deep.include({ kind: "unreadable" });
    const other = { ...(JSON.parse(text) as object), kind: "commit" };
    expect(decodeEntry(JSON.stringify(other))).to.include({ kind: "unreadable", isNewer: true });
    const older = { ...(JSON.parse(text) as object), v: 1 };
    expect(decodeEntry(JSON.stringify(older))).to.deep.include({ kind: "unreadable" });
  });

  it("entry.5: no commit counts behind a split until the next claim", () => {
    const split = { kind: "split", epoch: 4, node: "room-a" as ProcessId, at: 7, of: 8 } as const;
    expect([isVoid(4, split), isVoid(5, split)]).to.deep.equal([false, true]);
    expect([epochAfter(4, 9, split), epochAfter(5, 9, split)]).to.deep.equal([0, 0]);
  });
});
