// The archiver in a split: when it writes it, and when it archives an upper half.

import { expect } from "chai";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import type { ProcessId } from "#shared/protocol/ids.ts";
import { Archiver } from "../core/archiver.ts";
import { LIMITS } from "../core/archiver-io.ts";
import type {
  ArchiverEffect,
  ArchiverInput,
  ArchiverReport,
  TimerName,
} from "../core/archiver-io.ts";

const NODE = "room-a" as ProcessId;
const P = 3;
/** Half of 2^32: full jitter gives half of its ceiling. */
const HALF = { next32: () => 0x8000_0000 };

const own = encodeEntry({ kind: "claim", node: NODE, at: 0 });
const report = (given: ArchiverReport): ArchiverEffect => ({ kind: "report", report: given });
const arm = (name: TimerName, afterMs: number): ArchiverEffect => {
  return { kind: "arm-timer", name, afterMs };
};
const open = (reader: number, from: number): ArchiverEffect => {
  return { kind: "open-reader", reader, from };
};
const close = (reader: number): ArchiverEffect => ({ kind: "close-reader", reader });
const published = (seq: number): ArchiverEffect => ({ kind: "publish-watermark", seq });

class Driven {
  readonly archiver: Archiver;

  constructor({ firstSeq = 1 } = {}) {
    const options = { ...LIMITS, keepEntries: 10, keepShare: 0, firstSeq };
    this.archiver = new Archiver(P, options, HALF);
  }

  step(input: ArchiverInput): readonly ArchiverEffect[] {
    return this.archiver.step(input, 0);
  }

  timer(name: TimerName): readonly ArchiverEffect[] {
    return this.step({ kind: "timer", name });
  }

  loaded(seq: number): readonly ArchiverEffect[] {
    return this.step({ kind: "watermark", read: { kind: "ok", value: { seq, epoch: 0 } } });
  }

  entry(seq: number, text = own, { reader = 1 } = {}): readonly ArchiverEffect[] {
    return this.step({ kind: "entry", reader, seq, text, bytes: 100 });
  }

  written(): readonly ArchiverEffect[] {
    return this.step({ kind: "written", outcome: { kind: "ok", quarantined: 0 } });
  }
}

function reading(): Driven {
  const driven = new Driven();
  driven.step({ kind: "start" });
  driven.loaded(0);
  return driven;
}

describe("Archiver: a split", () => {
  const split = (epoch: number, of: number): string =>
    encodeEntry({ kind: "split", epoch, node: NODE, at: 0, of });
  const upper: ArchiverEffect = { kind: "publish-watermark", seq: 1, p: P + 4 };

  it("archiver.8: writes a split at once, and announces the upper half when it is stored", () => {
    const driven = reading();
    driven.entry(1);
    const [write] = driven.entry(2, split(1, 8));
    expect(write).to.deep.include({ kind: "write" });
    const { batch } = write as { batch: ArchiveBatch };
    expect(batch).to.deep.include({ from: 0, to: 2, epoch: 0, splits: [8], isReleased: true });
    const after = driven.written();
    expect(after).to.deep.include(published(2));
    expect(after).to.deep.include(upper);
    expect(driven.archiver.watermark).to.include({ seq: 2, of: 8 });
    expect(driven.step({ kind: "tick" })).not.to.deep.include(upper);
  });

  it("archiver.8: announces the upper half of a split that was stored before", () => {
    const driven = new Driven();
    driven.step({ kind: "start" });
    const value = { seq: 9, epoch: 0, of: 8 };
    expect(driven.step({ kind: "watermark", read: { kind: "ok", value } })).to.deep.include(upper);
  });

  it("archiver.8: announces no upper half when an older archive does not have the split", () => {
    const driven = new Driven();
    driven.step({ kind: "start" });
    const value = { seq: 9, epoch: 0, of: 8 };
    driven.step({ kind: "watermark", read: { kind: "ok", value } });
    driven.step({ kind: "reader-failed", reader: 1, reason: "the primary changed" });
    driven.timer("reload");
    expect(driven.loaded(8)).to.deep.equal([
      report({ kind: "loaded", watermark: 8 }),
      published(8),
      open(2, 9),
    ]);
  });

  it("entry.5: a split of a stale epoch is void and begins nothing", () => {
    const driven = reading();
    driven.entry(1);
    driven.entry(2, split(7, 8));
    const [write] = driven.timer("linger");
    const { batch } = write as { batch: ArchiveBatch };
    expect(batch).not.to.have.any.keys("splits", "isReleased");
    expect(batch.epoch).to.equal(0);
  });

  it("archiver.8: an upper half is read from entry 2 on, and not archived before its watermark exists", () => {
    const driven = new Driven({ firstSeq: 2 });
    driven.step({ kind: "start" });
    expect(driven.loaded(0)).to.deep.include(open(1, 2));
    expect(driven.entry(2)).to.deep.equal([close(1), arm("reload", 100)]);
    driven.timer("reload");
    expect(driven.loaded(1)).to.deep.equal([
      report({ kind: "loaded", watermark: 1 }),
      published(1),
      open(2, 2),
    ]);
    driven.entry(2, own, { reader: 2 });
    const [write] = driven.timer("linger");
    expect((write as { batch: ArchiveBatch }).batch).to.deep.include({ from: 1, to: 2 });
  });
});
