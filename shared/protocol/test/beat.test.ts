// Beats, watermarks and suspect reports: both halves agree, and a decoder refuses everything else.

import { expect } from "chai";
import * as fc from "fast-check";
import { decodeBeat, encodeBeat } from "../beat.ts";
import type { ProcessId } from "../ids.ts";
import { LOAD_MAX, WEIGHT_MAX } from "../load.ts";
import { decodeSuspectReport, encodeSuspectReport } from "../suspect-report.ts";
import { decodeWatermark, encodeWatermark } from "../watermark.ts";

const ROOM_NODE = {
  id: "room-a1" as ProcessId,
  state: "live",
  version: "0.1.0",
  owns: { "3": 812 },
} as const;
const BEAT = { v: 1, ...ROOM_NODE };

describe("Beats", () => {
  it("P11: decodes the beat that was encoded, with or without partitions", () => {
    expect(decodeBeat(encodeBeat(ROOM_NODE))).to.deep.equal(BEAT);
    const gateway = { id: "gw-a1" as ProcessId, state: "leaving", version: "0.1.0" } as const;
    expect(decodeBeat(encodeBeat(gateway))).to.deep.equal({ v: 1, ...gateway });
  });

  it("P26: decodes a beat with a load, and a beat of an older version without one", () => {
    const load = { weight: -65_536, capacity: 500_000, busy: 120_000, costs: { "3": 90_000 } };
    const next = "room-b2" as ProcessId;
    for (const one of [load, { ...load, next }, { weight: 0, capacity: 1, busy: 0 }]) {
      const text = encodeBeat({ ...ROOM_NODE, load: one });
      expect(decodeBeat(text)).to.deep.equal({ ...BEAT, load: one });
    }
    expect(decodeBeat(JSON.stringify(BEAT))?.load).to.equal(undefined);
  });

  it("N5: refuses a beat whose load is out of bounds", () => {
    const load = { weight: 0, capacity: 1_000_000, busy: 0, costs: {} };
    const broken = [
      null,
      [],
      {},
      { ...load, weight: 0.5 },
      { ...load, weight: WEIGHT_MAX + 1 },
      { ...load, weight: -WEIGHT_MAX - 1 },
      { ...load, weight: "1" },
      { ...load, capacity: 0 },
      { ...load, capacity: LOAD_MAX + 1 },
      { ...load, busy: -1 },
      { ...load, busy: undefined },
      { ...load, costs: [] },
      { ...load, costs: { "3": LOAD_MAX + 1 } },
      { ...load, costs: { "3": null } },
      { ...load, costs: { x: 1 } },
      { ...load, next: "room-a.>" },
    ];
    for (const one of broken) {
      const text = JSON.stringify({ ...BEAT, load: one });
      expect(decodeBeat(text), text).to.equal(undefined);
    }
    expect(decodeBeat(JSON.stringify({ ...BEAT, load }))).to.not.equal(undefined);
  });

  it("N5: refuses a beat of another version and a beat with a broken field", () => {
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
});

describe("Watermarks and suspect reports", () => {
  it("D5: decodes a watermark with a partition and a log sequence, and nothing else", () => {
    expect(decodeWatermark(encodeWatermark(3, 812))).to.deep.equal({ v: 1, p: 3, seq: 812 });
    const broken = ['{"v":2,"p":3,"seq":812}', '{"v":1,"p":3}', '{"v":1,"p":3,"seq":-1}'];
    broken.push('{"v":1,"p":3,"seq":1.5}', '{"v":1,"p":"3","seq":1}', '{"v":1,"seq":1}', "", "1");
    for (const text of broken) expect(decodeWatermark(text), text).to.equal(undefined);
  });

  it("P16: decodes a suspect report with a partition, and nothing else", () => {
    expect(decodeSuspectReport(encodeSuspectReport(3))).to.deep.equal({ v: 1, p: 3 });
    for (const text of ['{"v":2,"p":3}', '{"v":1}', '{"v":1,"p":-1}', '{"v":1,"p":"3"}', "", "1"]) {
      expect(decodeSuspectReport(text), text).to.equal(undefined);
    }
  });

  it("N5: no text makes a decoder throw", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    fc.assert(
      fc.property(text, (text) => {
        decodeBeat(text);
        decodeWatermark(text);
        decodeSuspectReport(text);
      }),
    );
  });
});
