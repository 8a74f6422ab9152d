// Beats and marks: what is not one is nothing, and nothing of it reaches a subject.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeBeat, decodeMark } from "../membership.ts";

const BEAT = { v: 1, id: "room-a1", state: "live", version: "0.1.0", owns: { "3": 812 } };

describe("Beats and marks", () => {
  it("P11: a beat is decoded to what was sent, with or without partitions", () => {
    expect(decodeBeat(JSON.stringify(BEAT))).to.deep.equal(BEAT);
    const { owns: _owns, ...gateway } = { ...BEAT, id: "gw-a1", state: "leaving" };
    expect(decodeBeat(JSON.stringify(gateway))).to.deep.equal(gateway);
  });

  it("N5: a beat of another version, or one with a broken field, is none", () => {
    const broken = [
      { ...BEAT, v: 2 },
      { ...BEAT, v: undefined },
      { ...BEAT, id: "room-a.>" },
      { ...BEAT, id: "" },
      { ...BEAT, id: 7 },
      { ...BEAT, state: "dead" },
      { ...BEAT, version: undefined },
      { ...BEAT, owns: "3" },
      { ...BEAT, owns: { "3": "812" } },
      { ...BEAT, owns: { "3": -1 } },
      { ...BEAT, owns: null },
      null,
      [],
      "beat",
    ];
    for (const value of broken) {
      const text = JSON.stringify(value);
      expect(decodeBeat(text), text).to.equal(undefined);
    }
  });

  it("D5: a mark has a partition and a number, or is none", () => {
    expect(decodeMark('{"v":1,"p":3,"seq":812}')).to.deep.equal({ v: 1, p: 3, seq: 812 });
    const broken = ['{"v":2,"p":3,"seq":812}', '{"v":1,"p":3}', '{"v":1,"p":3,"seq":-1}'];
    broken.push('{"v":1,"p":3,"seq":1.5}', '{"v":1,"p":"3","seq":1}', '{"v":1,"seq":1}', "", "1");
    for (const text of broken) expect(decodeMark(text), text).to.equal(undefined);
  });

  it("N5: no text whatever makes a decoder throw", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    fc.assert(
      fc.property(text, (text) => {
        decodeBeat(text);
        decodeMark(text);
      }),
    );
  });
});
