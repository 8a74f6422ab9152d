// History: the decoder returns the encoded reply, and refuses a broken one.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeReply, encodeReply } from "../history.ts";
import type { HistoryReply, RoomSnapshot } from "../history.ts";
import { encodeEvent } from "../events.ts";
import type { Mentions } from "../events.ts";
import type { UserId } from "../ids.ts";
import * as arbitrary from "./arbitraries.ts";

const lines = fc.array(arbitrary.event.map(encodeEvent), { maxLength: 5 });
const seq = fc.nat();
const ADA = "ada" as UserId;

const snapshot: fc.Arbitrary<RoomSnapshot> = fc.record({
  room: arbitrary.room,
  watermark: seq,
  head: seq,
  born: fc.string(),
  floor: arbitrary.millis,
  floors: fc.array(fc.tuple(arbitrary.userId, arbitrary.millis), { maxLength: 3 }),
  ids: fc.array(fc.tuple(arbitrary.messageId, arbitrary.userId, seq, arbitrary.millis), {
    maxLength: 5,
  }),
  tail: lines,
  lastAt: arbitrary.millis,
});

const snapshotHeader = {
  room: "general",
  born: "",
  ids: [],
  v: 1,
  ok: true,
  op: "snapshot",
  watermark: 1,
  head: 0,
  floor: 0,
  lastAt: 0,
  count: 0,
};

const reply: fc.Arbitrary<HistoryReply> = fc.oneof(
  fc
    .record({ watermark: seq, epoch: seq })
    .map((rest) => ({ ok: true, op: "watermark", ...rest }) as const),
  snapshot.map((snapshot) => ({ ok: true, op: "snapshot", snapshot }) as const),
  fc
    .record({ first: seq, lines, head: seq })
    .map((range) => ({ ok: true, op: "range", range }) as const),
  fc.record({ watermark: seq }).map((rest) => ({ ok: true, op: "lookup", ...rest }) as const),
  fc
    .record({ watermark: seq, found: fc.record({ seq, at: arbitrary.millis }) })
    .map((rest) => ({ ok: true, op: "lookup", ...rest }) as const),
  fc
    .record({ watermark: seq, mentions: fc.constantFrom<Mentions>("@room", [], [ADA]) })
    .map(({ watermark, mentions }) => {
      const message = { from: ADA, at: 1, mentions };
      return { ok: true, op: "lookup", watermark, target: { seq: 3, message } } as const;
    }),
  fc
    .constantFrom("unavailable" as const, "bad_request" as const)
    .map((error) => ({ ok: false, error }) as const),
);

describe("History replies", () => {
  it("O12: decodes any reply that was encoded, with its lines byte for byte", () => {
    fc.assert(
      fc.property(reply, (reply) => {
        expect(decodeReply(encodeReply(reply))).to.deep.equal(reply);
      }),
      { numRuns: 300 },
    );
  });

  it("O12: distinguishes no line from one empty line", () => {
    for (const lines of [[], [""], ["", ""]]) {
      const reply: HistoryReply = { ok: true, op: "range", range: { first: 1, head: 9, lines } };
      expect(decodeReply(encodeReply(reply))).to.deep.equal(reply);
    }
  });

  it("O12: refuses a reply with a missing or an added line", () => {
    const range = { first: 1, head: 9, lines: ['{"a":1}', '{"b":2}', '{"c":3}'] };
    const text = encodeReply({ ok: true, op: "range", range });
    const [header, ...rest] = text.split("\n");
    expect(decodeReply([header, ...rest.slice(1)].join("\n"))).to.equal(undefined);
    expect(decodeReply([header, ...rest, "{}"].join("\n"))).to.equal(undefined);
    expect(decodeReply(header ?? "")).to.equal(undefined);
  });

  it("N5: refuses another version, an unknown kind and a missing number", () => {
    const lookup = { v: 1, ok: true, op: "lookup", watermark: 1 };
    const broken = [
      { v: 2, ok: true, op: "watermark", watermark: 1, epoch: 1 },
      { ok: true, op: "watermark", watermark: 1, epoch: 1 },
      { v: 1 },
      { v: 1, ok: true },
      { v: 1, ok: "true", op: "watermark", watermark: 1 },
      { v: 1, ok: true, op: "everything", watermark: 1 },
      { v: 1, ok: true, op: "watermark" },
      { v: 1, ok: true, op: "watermark", watermark: "1" },
      { v: 1, ok: true, op: "watermark", watermark: -1 },
      { v: 1, ok: true, op: "range", first: 1, count: 0 },
      { ...lookup, target: { seq: 3, message: { from: "ada", mentions: "@here" } } },
      { v: 1, ok: true, op: "snapshot", head: 1, watermark: 1, count: 0 },
      { ...snapshotHeader, floors: [["ada"]] },
      { ...snapshotHeader, floors: 7 },
      [],
      null,
    ];
    expect(decodeReply(JSON.stringify({ ...snapshotHeader, floors: [] }))).to.have.property("ok");
    for (const value of broken) {
      const text = JSON.stringify(value);
      expect(decodeReply(text), text).to.equal(undefined);
    }
  });

  it("N5: no text makes the decoder throw", () => {
    const keys = fc.constantFrom("v", "ok", "op", "count", "first", "head", "ids", "watermark");
    const values = fc.oneof(
      fc.constantFrom<unknown>(1, true, "range", "snapshot", "watermark", "lookup"),
      fc.jsonValue(),
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.dictionary(keys, values).map((value) => JSON.stringify(value)),
      fc.tuple(fc.json(), fc.json()).map((parts) => parts.join("\n")),
    );
    fc.assert(
      fc.property(text, (text) => {
        const decoded = decodeReply(text);
        if (decoded !== undefined) expect(decoded.ok).to.be.a("boolean");
      }),
      { numRuns: 1_000 },
    );
  });
});
