// Backlog: how many entries a batch takes, what it carries beside events, and when the backlog is
// full.

import { expect } from "chai";
import { BrokenInvariant } from "#shared/kit/assert.ts";
import type { ArchiveEvent, UnreadText } from "#shared/ports/archive.ts";
import type { ProjectedEntry } from "../core/projection.ts";
import { Backlog, TRACES_PER_BATCH_MAX } from "../core/backlog.ts";

const BOUNDS = { linesMax: 1_000, bytesMax: 1_000_000 };

function take(entries: readonly (readonly string[] | undefined)[]) {
  const backlog = new Backlog(BOUNDS);
  for (const [i, traces] of entries.entries()) {
    const entry = {
      seq: i + 1,
      epoch: 1,
      isVoid: false,
      isRelease: false,
      events: [],
      unread: [],
      traces,
    };
    backlog.push(entry satisfies ProjectedEntry, 100);
  }
  return backlog.take(0, 0, BOUNDS);
}

/** An entry with that many events and texts. The backlog does not look into them. */
function entryOf(seq: number, events = 0, unread = 0): ProjectedEntry {
  return {
    seq,
    epoch: seq,
    isVoid: false,
    isRelease: false,
    events: Array.from({ length: events }, (_, i) => ({ seq: seq * 100 + i }) as ArchiveEvent),
    unread: Array.from({ length: unread }, () => ({ entry: seq }) as UnreadText),
  };
}

describe("Backlog", () => {
  it("backlog.1: a batch takes whole entries in order, up to either bound", () => {
    const bounds = { linesMax: 4, bytesMax: 300 };
    const backlog = new Backlog(BOUNDS);
    expect(backlog.isEmpty).to.equal(true);
    backlog.push(entryOf(1, 2), 10);
    backlog.push(entryOf(2, 1, 1), 10);
    backlog.push(entryOf(3), 10); // The fifth line.
    backlog.push(entryOf(4), 290);
    backlog.push(entryOf(5), 1); // The 301st byte.
    expect(backlog.isEmpty).to.equal(false);
    expect(backlog.lines).to.equal(7);
    const first = backlog.take(7, 0, bounds);
    expect(first).to.deep.equal({
      p: 7,
      from: 0,
      to: 2,
      epoch: 2,
      events: [{ seq: 100 }, { seq: 101 }, { seq: 200 }],
      unread: [{ entry: 2 }],
    });
    expect(backlog.lines).to.equal(3);
    expect(backlog.take(7, 2, bounds)).to.deep.equal({
      p: 7,
      from: 2,
      to: 4,
      epoch: 4,
      events: [],
    });
    expect(backlog.lines).to.equal(1);
    expect(backlog.take(7, 4, bounds)).to.deep.include({ from: 4, to: 5 });
    expect(backlog.lines).to.equal(0);
    expect(backlog.isEmpty).to.equal(true);
  });

  it("backlog.1: an entry above the bounds is a batch of its own", () => {
    const bounds = { linesMax: 2, bytesMax: 100 };
    const backlog = new Backlog(BOUNDS);
    backlog.push(entryOf(1, 3), 101);
    backlog.push(entryOf(2), 1);
    expect(backlog.take(0, 0, bounds)).to.deep.include({ from: 0, to: 1 });
    expect(backlog.take(0, 1, bounds)).to.deep.include({ from: 1, to: 2 });
  });

  it("backlog.2: is full from either bound on, and has room again at half of both", () => {
    const bounds = { linesMax: 8, bytesMax: 200 };
    const state = (lines: number, bytes: number) => {
      const backlog = new Backlog(bounds);
      backlog.push(entryOf(1, lines), bytes);
      const { isFull, hasRoom } = backlog;
      return { isFull, hasRoom };
    };
    expect(new Backlog(bounds)).to.include({ isFull: false, hasRoom: true });
    expect(state(4, 100)).to.deep.equal({ isFull: false, hasRoom: true });
    expect(state(5, 100)).to.deep.equal({ isFull: false, hasRoom: false });
    expect(state(4, 101)).to.deep.equal({ isFull: false, hasRoom: false });
    expect(state(7, 199)).to.deep.equal({ isFull: false, hasRoom: false });
    expect(state(8, 199)).to.deep.equal({ isFull: true, hasRoom: false });
    expect(state(7, 200)).to.deep.equal({ isFull: true, hasRoom: false });
  });

  it("backlog.2: taking a batch makes room, in lines and in bytes", () => {
    const bounds = { linesMax: 2, bytesMax: 200 };
    const backlog = new Backlog(bounds);
    backlog.push(entryOf(1), 200);
    backlog.push(entryOf(2), 100);
    expect(backlog).to.include({ isFull: true, hasRoom: false });
    backlog.take(0, 0, { linesMax: 1, bytesMax: 1_000 });
    expect(backlog).to.include({ isFull: false, hasRoom: true });
  });

  it("archiver.1: the backlog fills a batch from either bound on", () => {
    const backlog = new Backlog(BOUNDS);
    backlog.push(entryOf(1, 3), 100);
    expect(backlog.fills({ linesMax: 3, bytesMax: 101 })).to.equal(true);
    expect(backlog.fills({ linesMax: 4, bytesMax: 100 })).to.equal(true);
    expect(backlog.fills({ linesMax: 4, bytesMax: 101 })).to.equal(false);
  });

  it("backlog.3: a batch that does not continue the watermark, or has no entry, is a broken invariant", () => {
    const backlog = new Backlog(BOUNDS);
    expect(() => backlog.take(0, 0, BOUNDS)).to.throw(BrokenInvariant, "something waits");
    for (const from of [0, 2]) {
      backlog.push(entryOf(2), 1);
      expect(() => backlog.take(0, from, BOUNDS)).to.throw(BrokenInvariant, "continues");
    }
    for (const seq of [1, 3]) backlog.push(entryOf(seq), 1);
    expect(() => backlog.take(0, 0, BOUNDS)).to.throw(BrokenInvariant, "continues");
  });

  it("E3: a batch without a traced message has no trace contexts", () => {
    expect(take([undefined, undefined])).to.not.have.property("traces");
  });

  it("E2: a batch carries the contexts of its traced messages, in order and bounded", () => {
    expect(take([undefined, ["a", "b"], undefined, ["c"]]).traces).to.deep.equal(["a", "b", "c"]);
    const many = Array.from({ length: TRACES_PER_BATCH_MAX + 5 }, (_, n) => `${n}`);
    expect(take([many]).traces).to.have.length(TRACES_PER_BATCH_MAX);
  });

  it("archiver.8: a split fills a batch, and after it entries wait for more again", () => {
    const backlog = new Backlog(BOUNDS);
    backlog.push({ ...entryOf(1), isRelease: true, split: 8 }, 1);
    expect(backlog.fills(BOUNDS)).to.equal(true);
    expect(backlog.take(0, 0, BOUNDS)).to.deep.include({ splits: [8], isReleased: true });
    backlog.push(entryOf(2), 1);
    expect(backlog.fills(BOUNDS)).to.equal(false);
  });
});
