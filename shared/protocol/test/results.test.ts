// Results: both halves of the codec against each other, with the lines of ranges.

import { expect } from "chai";
import { decodeResults, encodeResults, encodeResync } from "../results.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";

const decode = (text: string) =>
  decodeResults(new TextEncoder().encode(text), (bytes) => new TextDecoder().decode(bytes));
const encode = (...results: ResultWithLines[]): string => encodeResults(3, 812, results).join();
const range = (c: number, first: number, lines: string[]): ResultWithLines => ({
  result: { c, ok: "range", first, count: lines.length },
  lines,
});

describe("Results on the wire", () => {
  it("O12: separates the lines of several ranges as they were joined", () => {
    const text = encode(
      range(1, 5, ["five", "sechs äöü"]),
      { result: { c: 2, ok: "left" } },
      range(3, 9, []),
      range(4, 7, ["seven"]),
    );
    const decoded = decode(text)!;
    expect([decoded.p, decoded.epoch, decoded.resync]).to.deep.equal([3, 812, undefined]);
    const blocks = decoded.answers.map(
      ({ block }) => block && new TextDecoder().decode(block.bytes),
    );
    expect(blocks).to.deep.equal(["five\nsechs äöü", undefined, undefined, "seven"]);
    expect(decoded.answers[0]!.block).to.deep.include({ first: 5, count: 2 });
  });

  it("P8: a resync names its incarnation", () => {
    const resync = { p: 1, epoch: 9, answers: [], resync: 4 };
    expect(decode(encodeResync(1, 9, 4))).to.deep.equal(resync);
    expect(decode(encodeResync(1, 9, 4, { of: 8 }))).to.deep.equal({ ...resync, of: 8 });
    expect(decode(encodeResync(1, 9, 4, { of: -1 }))).to.equal(undefined);
  });

  it("N6: a result of a newer owner that is not known here refuses its command alone", () => {
    const results = [
      { c: 1, ok: "edited", seq: 7 },
      { c: 2, ok: "sent", seq: 4, at: 9 },
      { c: 3, error: "room_full", retry: true, afterMs: 50 },
      { c: 4, error: "room_closed", retry: false },
      { c: 5, error: "__proto__" },
    ];
    const decoded = decode(JSON.stringify({ v: 1, p: 3, epoch: 812, results }));
    expect(decoded?.answers.map(({ result }) => result)).to.deep.equal([
      { c: 1, error: "unavailable" },
      { c: 2, ok: "sent", seq: 4, at: 9 },
      { c: 3, error: "unavailable", afterMs: 50 },
      { c: 4, error: "conflict" },
      { c: 5, error: "conflict" },
    ]);
    for (const broken of [
      { c: 1, ok: 7 },
      { c: 1, error: 7 },
      { c: 1, error: "a".repeat(65) },
      { c: -1, ok: "edited" },
      { c: 1, error: "room_full", afterMs: "soon" },
    ]) {
      const text = JSON.stringify({ v: 1, p: 3, epoch: 812, results: [results[1], broken] });
      expect(decode(text), text).to.equal(undefined);
    }
  });

  it("M11: decodes a list of invites, and refuses one that is broken", () => {
    const invite = { invite: "0199f000-0000-7000-8000-000000000001", role: "reader" };
    const listed = { ...invite, until: 9, uses: 3, used: 1 };
    const text = (invites: unknown): string =>
      JSON.stringify({ v: 1, p: 3, epoch: 8, results: [{ c: 1, ok: "invites", invites }] });
    expect(decode(text([listed]))?.answers[0]?.result).to.deep.include({ invites: [listed] });
    const many = Array.from({ length: 101 }, () => listed);
    for (const broken of [{}, [{ ...listed, role: "owner" }], [{ ...listed, invite: "x" }], many]) {
      expect(decode(text(broken))).to.equal(undefined);
    }
  });

  it("N5: refuses another version, broken text and missing lines", () => {
    const whole = encode(range(1, 5, ["a", "b"]));
    expect(decode(whole.replace('"v":1', '"v":2'))).to.equal(undefined);
    expect(decode("")).to.equal(undefined);
    expect(decode("[]")).to.equal(undefined);
    expect(decode(whole.slice(0, 20))).to.equal(undefined);
    expect(decode(whole.split("\n")[0]!)).to.equal(undefined);
    expect(decode(whole.split("\n").slice(0, 2).join("\n"))).to.equal(undefined);
  });
});
