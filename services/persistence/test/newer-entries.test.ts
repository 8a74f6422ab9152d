// Log entries of a newer version, at the archiver.

import { expect } from "chai";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { Archiver } from "../core/archiver.ts";
import { LIMITS } from "../core/archiver-io.ts";
import type { ArchiverEffect, ArchiverInput } from "../core/archiver-io.ts";

const claim = encodeEntry({ kind: "claim", node: "room-a" as ProcessId, at: 0 });
const newer = claim.replace('"v":1', '"v":2');

function only<K extends ArchiverEffect["kind"]>(
  effects: readonly ArchiverEffect[],
  kind: K,
): Extract<ArchiverEffect, { kind: K }>[] {
  return effects.filter((effect) => effect.kind === kind) as Extract<ArchiverEffect, { kind: K }>[];
}

describe("Log entries of a newer version", () => {
  it("N8: persistence archives what comes before such an entry, reports it, and tries again", () => {
    const archiver = new Archiver(
      3,
      { ...LIMITS, keepEntries: 10, keepShare: 0 },
      { next32: () => 0 },
    );
    const step = (input: ArchiverInput): readonly ArchiverEffect[] => archiver.step(input, 0);
    const loaded = (seq: number): ArchiverInput => ({
      kind: "watermark",
      read: { kind: "ok", value: { seq, epoch: 1 } },
    });
    const entry = (reader: number, seq: number, text: string): ArchiverInput => {
      return { kind: "entry", reader, seq, text, bytes: text.length };
    };
    const report = { kind: "newer", entry: 9 } as const;
    step({ kind: "start" });
    step(loaded(7));
    step(entry(1, 8, claim));
    const ended = step(entry(1, 9, newer));
    expect(ended.slice(0, 2)).to.deep.equal([
      { kind: "report", report },
      { kind: "close-reader", reader: 1 },
    ]);
    const [write] = only(ended, "write");
    expect([write?.batch.from, write?.batch.to]).to.deep.equal([7, 8]);
    const written = step({ kind: "written", outcome: { kind: "ok", quarantined: 0 } });
    expect(only(written, "arm-timer").map(({ name }) => name)).to.include("reload");
    step({ kind: "timer", name: "reload" });
    step(loaded(8));
    expect(only(step(entry(2, 9, newer)), "report")).to.deep.equal([{ kind: "report", report }]);
    // A newer process has archived it.
    step({ kind: "timer", name: "reload" });
    step(loaded(9));
    step(entry(3, 10, claim));
    const [next] = only(step({ kind: "timer", name: "linger" }), "write");
    expect([next?.batch.from, next?.batch.to]).to.deep.equal([9, 10]);
  });
});
