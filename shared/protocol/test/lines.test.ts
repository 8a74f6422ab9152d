// Lines: blocks of UTF-8 are cut between lines without a copy.

import { expect } from "chai";
import * as fc from "fast-check";
import {
  bornOf,
  blockAbove,
  blockLast,
  blockUpTo,
  decodeOut,
  encodeHead,
  encodeOut,
} from "../lines.ts";
import type { Block } from "../lines.ts";
import { storable } from "./arbitraries.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const blockOf = (first: number, lines: readonly string[]): Block => ({
  first,
  count: lines.length,
  bytes: encode(lines.join("\n")),
});

/** The numbered lines of a block. */
function numbered(block: Block | undefined): [number, string][] {
  if (block === undefined) return [];
  const lines = decode(block.bytes).split("\n");
  expect(lines).to.have.length(block.count);
  return lines.map((line, i) => [block.first + i, line]);
}

const lines = fc.array(
  storable.map((text) => JSON.stringify(text)),
  { minLength: 1, maxLength: 8 },
);
const block = fc.record({ first: fc.integer({ min: 1, max: 1_000 }), lines });

describe("Lines", () => {
  it("F7: decodes a payload to its header and exactly its bytes", () => {
    const bytes = encode(encodeOut(41, ['{"a":"é"}', '{"b":"🎉"}']));
    const decoded = decodeOut(bytes);
    expect(decoded).to.deep.include({ first: 41, count: 2 });
    expect(decode(decoded!.bytes)).to.equal('{"a":"é"}\n{"b":"🎉"}');
    expect(decoded!.bytes.buffer, "a view, not a copy").to.equal(bytes.buffer);
  });

  it("F7: decodes any block that was encoded", () => {
    fc.assert(
      fc.property(block, ({ first, lines }) => {
        const payload = encode(encodeOut(first, lines));
        expect(numbered(decodeOut(payload))).to.deep.equal(numbered(blockOf(first, lines)));
      }),
    );
  });

  it("E2: the header has the contexts of traced lines, and nothing but contexts", () => {
    const traces = [
      `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
      `00-${"c".repeat(32)}-${"d".repeat(16)}-01`,
    ];
    const decoded = decodeOut(encode(encodeOut(41, ['{"a":1}'], traces)));
    expect(decoded).to.deep.include({ first: 41, count: 1, traces });
    expect(decode(decoded!.bytes)).to.equal('{"a":1}');
    expect(decodeOut(encode(`41 1 ${traces[0]},x\n{"a":1}`))).to.equal(undefined);
  });

  it("R3: a head has the birth when the owner knows it, and an empty one for a room without events", () => {
    const birthOf = (head: number, born?: string): string | undefined =>
      bornOf(decodeOut(new TextEncoder().encode(encodeHead(head, born)))!);
    expect(birthOf(57, "id-1")).to.equal("id-1");
    expect(birthOf(57)).to.equal(undefined);
    expect(birthOf(0)).to.equal("");
    expect(bornOf({ first: 1, count: 1, bytes: new Uint8Array(3) })).to.equal(undefined);
  });

  it("O10: a head is a block without lines whose `first` is the head", () => {
    expect(decodeOut(encode(encodeHead(57)))).to.deep.equal({
      first: 57,
      count: 0,
      bytes: new Uint8Array(),
    });
  });

  it("N5: refuses a payload without two whole numbers at its start, at every cut", () => {
    const whole = encode("41 2\n");
    for (let length = 0; length < whole.length; length++) {
      expect(decodeOut(whole.subarray(0, length)), `${length} bytes`).to.equal(undefined);
    }
    const broken = ["\n", " \n", "1 \n", " 1\n", "a 1\n", "1 a\n", "-1 1\n", "1 -1\n", "1.5 2\n"];
    broken.push(
      "1  2\n",
      "1 2 3\n",
      "0x1 2\n",
      "1\n2 3",
      "1234567890123456 1\n",
      "é 1\n",
      '{"v":1}',
    );
    for (const text of broken) expect(decodeOut(encode(text)), text).to.equal(undefined);
  });

  it("N5: no bytes make the decoder throw or return a number that is not whole", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodeOut(bytes);
        if (decoded === undefined) return;
        expect(Number.isSafeInteger(decoded.first) && decoded.first >= 0).to.equal(true);
        expect(Number.isSafeInteger(decoded.count) && decoded.count >= 0).to.equal(true);
      }),
    );
  });

  it("O9: the part above a number has exactly the lines above it", () => {
    fc.assert(
      fc.property(block, fc.integer({ min: 0, max: 1_020 }), ({ first, lines }, seq) => {
        const whole = blockOf(first, lines);
        const above = blockAbove(whole, seq);
        expect(numbered(above)).to.deep.equal(numbered(whole).filter(([n]) => n > seq));
        if (above !== undefined) expect(above.bytes.buffer).to.equal(whole.bytes.buffer);
      }),
      { numRuns: 500 },
    );
  });

  it("O9: the part up to a number has exactly the lines up to it", () => {
    fc.assert(
      fc.property(block, fc.integer({ min: 0, max: 1_020 }), ({ first, lines }, seq) => {
        const whole = blockOf(first, lines);
        const upTo = blockUpTo(whole, seq);
        expect(numbered(upTo)).to.deep.equal(numbered(whole).filter(([n]) => n <= seq));
        if (upTo !== undefined) expect(blockLast(upTo)).to.be.at.most(seq);
      }),
      { numRuns: 500 },
    );
  });

  it("O9: the parts up to and above a number make the whole block", () => {
    fc.assert(
      fc.property(block, fc.nat(9), ({ first, lines }, at) => {
        const whole = blockOf(first, lines);
        const seq = first + at - 1;
        const parts = [...numbered(blockUpTo(whole, seq)), ...numbered(blockAbove(whole, seq))];
        expect(parts).to.deep.equal(numbered(whole));
      }),
    );
  });

  it("O10: a block without lines has no parts", () => {
    const head: Block = { first: 57, count: 0, bytes: new Uint8Array() };
    for (const seq of [0, 56, 57, 58]) {
      expect(blockAbove(head, seq)).to.equal(undefined);
      expect(blockUpTo(head, seq)).to.equal(undefined);
    }
  });
});
