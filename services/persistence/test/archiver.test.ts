// The archiver's exact effects for each input: when it writes, reads, waits, trims and stops.

import { expect } from "chai";
import { BrokenInvariant } from "#shared/kit/assert.ts";
import type { ArchiveBatch, WriteOutcome } from "#shared/ports/archive.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import { encodeEntry } from "#shared/protocol/entry.ts";
import { encodeEvent } from "#shared/protocol/events.ts";
import type { MessageId, ProcessId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { ENTRY_BYTES_MAX } from "#shared/protocol/limits.ts";
import { Archiver } from "../core/archiver.ts";
import { LIMITS } from "../core/archiver-io.ts";
import type {
  ArchiverEffect,
  ArchiverInput,
  ArchiverOptions,
  ArchiverReport,
  TimerName,
} from "../core/archiver-io.ts";

const ROOM = "general" as RoomId;
const NODE = "room-a" as ProcessId;
const P = 3;
/** Half of 2^32: full jitter gives half of its ceiling: 100 ms, 200 ms, 400 ms, … */
const HALF = { next32: () => 0x8000_0000 };
const OPTIONS: ArchiverOptions = {
  batch: { linesMax: 4, bytesMax: 1_000 },
  backlog: { linesMax: 8, bytesMax: 2_000 },
  lingerMs: 250,
  retry: { baseMs: 200, capMs: 5_000 },
  tickMs: 5_000,
  keepEntries: 10,
  keepShare: 0,
  trimEveryMs: 15_000,
};

const own = encodeEntry({ kind: "claim", node: NODE, at: 0 });

function commit(epoch: number, first: number, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => lineOf(first + i));
  const groups = [{ room: ROOM, first, lines }];
  return encodeEntry({ kind: "commit", epoch, node: NODE, at: 0, groups });
}

function lineOf(seq: number): string {
  const id = `01990000-0000-7000-8000-${seq.toString(16).padStart(12, "0")}` as MessageId;
  return encodeEvent({ t: "msg", room: ROOM, seq, id, from: "ada" as UserId, at: seq, body: {} });
}

// Short forms of the effects.
const report = (given: ArchiverReport): ArchiverEffect => ({ kind: "report", report: given });
const arm = (name: TimerName, afterMs: number): ArchiverEffect => {
  return { kind: "arm-timer", name, afterMs };
};
const open = (reader: number, from: number): ArchiverEffect => {
  return { kind: "open-reader", reader, from };
};
const close = (reader: number): ArchiverEffect => ({ kind: "close-reader", reader });
const published = (seq: number): ArchiverEffect => ({ kind: "publish-watermark", seq });
const LOAD: ArchiverEffect = { kind: "read-watermark" };
const LOOK: ArchiverEffect = { kind: "read-log-size" };
const STOPPED: ArchiverEffect = { kind: "stopped" };

const OK: WriteOutcome = { kind: "ok", quarantined: 0 };
const logOf = (last: number): LastOutcome => ({ kind: "ok", first: 1, last, bytes: last * 100 });

/** An archiver with a clock that the test sets. */
class Driven {
  readonly archiver: Archiver;
  now = 0;

  constructor(options: Partial<ArchiverOptions> = {}) {
    this.archiver = new Archiver(P, { ...OPTIONS, ...options }, HALF);
  }

  step(input: ArchiverInput): readonly ArchiverEffect[] {
    return this.archiver.step(input, this.now);
  }

  timer(name: TimerName): readonly ArchiverEffect[] {
    return this.step({ kind: "timer", name });
  }

  loaded(seq: number, epoch = 0): readonly ArchiverEffect[] {
    return this.step({ kind: "watermark", read: { kind: "ok", value: { seq, epoch } } });
  }

  entry(seq: number, text = own, { reader = 1, bytes = 100 } = {}): readonly ArchiverEffect[] {
    return this.step({ kind: "entry", reader, seq, text, bytes });
  }

  written(outcome: WriteOutcome = OK): readonly ArchiverEffect[] {
    return this.step({ kind: "written", outcome });
  }
}

/** An archiver that reads from `seq` + 1 on with reader 1. */
function reading(seq = 0, options: Partial<ArchiverOptions> = {}): Driven {
  const driven = new Driven(options);
  driven.step({ kind: "start" });
  driven.loaded(seq, seq === 0 ? 0 : 1);
  return driven;
}

/** An archiver that has a batch with the entry seq + 1 in flight. */
function writing(seq = 0, options: Partial<ArchiverOptions> = {}): Driven {
  const driven = reading(seq, options);
  driven.entry(seq + 1);
  driven.timer("linger");
  return driven;
}

function batchOf(effects: readonly ArchiverEffect[]): ArchiveBatch | undefined {
  return effects.flatMap((effect) => (effect.kind === "write" ? [effect.batch] : []))[0];
}

function kinds(effects: readonly ArchiverEffect[]): string[] {
  return effects.map(({ kind }) => kind);
}

describe("Archiver", () => {
  it("archiver.5: loads the watermark, publishes a confirmed one, and reads behind it", () => {
    const driven = new Driven();
    expect(driven.archiver.watermark).to.equal(undefined);
    expect(driven.step({ kind: "start" })).to.deep.equal([LOAD]);
    expect(driven.step({ kind: "tick" })).to.deep.equal([]);
    expect(driven.loaded(7, 2)).to.deep.equal([
      report({ kind: "loaded", watermark: 7 }),
      published(7),
      open(1, 8),
    ]);
    expect(driven.archiver.watermark).to.deep.equal({ seq: 7, epoch: 2 });
    expect(driven.step({ kind: "tick" })).to.deep.equal([published(7)]);
  });

  it("archiver.5: a partition that was never archived has no watermark to publish", () => {
    const driven = new Driven();
    driven.step({ kind: "start" });
    expect(driven.loaded(0)).to.deep.equal([report({ kind: "loaded", watermark: 0 }), open(1, 1)]);
    expect(driven.step({ kind: "tick" })).to.deep.equal([]);
  });

  it("archiver.2: reads an unavailable watermark again after a wait that doubles up to its bound", () => {
    const driven = new Driven();
    driven.step({ kind: "start" });
    const away = { kind: "watermark", read: { kind: "unavailable", reason: "away" } } as const;
    for (const afterMs of [100, 200, 400, 800, 1_600, 2_500, 2_500]) {
      expect(driven.step(away)).to.deep.equal([
        report({ kind: "unavailable", what: "watermark", reason: "away" }),
        arm("reload", afterMs),
      ]);
      expect(driven.timer("reload")).to.deep.equal([LOAD]);
    }
  });

  it("archiver.1: a batch that is not full waits for more entries, and its timer writes it", () => {
    const driven = reading(7);
    expect(driven.entry(8)).to.deep.equal([arm("linger", 250)]);
    expect(driven.entry(9, commit(8, 1, 2))).to.deep.equal([]);
    const effects = driven.timer("linger");
    expect(kinds(effects)).to.deep.equal(["write"]);
    expect(batchOf(effects)).to.deep.include({ p: P, from: 7, to: 9, epoch: 8 });
    expect(batchOf(effects)?.events.map(({ seq }) => seq)).to.deep.equal([1, 2]);
    expect(driven.timer("linger")).to.deep.equal([]); // archiver.1: nothing while it is in flight.
  });

  it("archiver.1: writes a full batch at once, and its timer then has no effect", () => {
    const driven = reading();
    driven.entry(1);
    expect(kinds(driven.entry(2, commit(1, 1, 3)))).to.deep.equal(["write"]);
    expect(driven.entry(3, commit(1, 4, 1))).to.deep.equal([]); // One write in flight.
    expect(driven.timer("linger")).to.deep.equal([]);
    expect(driven.written()).to.deep.equal([
      report({ kind: "wrote", watermark: 2, events: 3, quarantined: 0, waiting: 1 }),
      published(2),
      arm("linger", 250),
    ]);
    expect(driven.archiver.watermark).to.deep.equal({ seq: 2, epoch: 1, isSettled: false });
    const next = driven.timer("linger");
    expect(batchOf(next)).to.deep.include({ from: 2, to: 3, epoch: 1 });
    expect(driven.written({ kind: "ok", quarantined: 1 })).to.deep.equal([
      report({ kind: "wrote", watermark: 3, events: 1, quarantined: 1, waiting: 0 }),
      published(3),
    ]);
    expect(driven.entry(4)).to.deep.equal([arm("linger", 250)]);
  });

  it("archiver.1: after a write, writes the backlog at once when it fills a batch", () => {
    const driven = writing();
    driven.entry(2, commit(1, 1, 4));
    expect(kinds(driven.written())).to.deep.equal(["report", "publish-watermark", "write"]);
  });

  it("history-server.3: a watermark counts as settled only behind a release of the owner in force", () => {
    const driven = reading();
    driven.entry(1);
    driven.entry(2, encodeEntry({ kind: "release", node: NODE, epoch: 1, at: 0 }));
    driven.timer("linger");
    driven.written();
    expect(driven.archiver.watermark).to.deep.equal({ seq: 2, epoch: 1, isSettled: true });
  });

  it("archiver.2: sends an uncertain write again unchanged, and the backoff restarts after a success", () => {
    const driven = reading();
    driven.entry(1);
    const batch = batchOf(driven.timer("linger"));
    for (const afterMs of [100, 200]) {
      expect(driven.written({ kind: "unavailable", reason: "slow" })).to.deep.equal([
        report({ kind: "unavailable", what: "write", reason: "slow" }),
        arm("retry", afterMs),
      ]);
      // archiver.1: it waits behind the batch.
      expect(driven.entry(afterMs === 100 ? 2 : 3)).to.deep.equal([]);
      expect(driven.timer("retry")).to.deep.equal([{ kind: "write", batch }]);
    }
    driven.written();
    driven.timer("linger");
    expect(driven.written({ kind: "unavailable", reason: "slow" })).to.deep.include(
      arm("retry", 100),
    );
  });

  it("archiver.2: after `moved`, drops the backlog, waits, and loads the watermark again", () => {
    const driven = writing(7);
    driven.entry(9);
    expect(driven.written({ kind: "moved" })).to.deep.equal([
      report({ kind: "moved", watermark: 7 }),
      close(1),
      arm("reload", 100),
    ]);
    expect(driven.archiver.watermark).to.deep.equal({ seq: 7, epoch: 1 });
    expect(driven.entry(10)).to.deep.equal([]);
    expect(driven.timer("linger")).to.deep.equal([]);
    expect(driven.timer("reload")).to.deep.equal([LOAD]);
    expect(driven.loaded(20, 8)).to.deep.equal([
      report({ kind: "loaded", watermark: 20 }),
      published(20),
      open(2, 21),
    ]);
    expect(driven.entry(21)).to.deep.equal([]); // It comes from reader 1, which is closed.
    expect(driven.entry(21, own, { reader: 2 })).to.deep.equal([arm("linger", 250)]);
  });

  it("archiver.3: ignores an entry that it already has", () => {
    const driven = reading(7);
    expect(driven.entry(7)).to.deep.equal([]);
    driven.entry(8);
    expect(driven.entry(8)).to.deep.equal([]);
    expect(batchOf(driven.timer("linger"))).to.deep.include({ from: 7, to: 8 });
  });

  it("archiver.3: a gap at the watermark is lost only when the reloaded watermark is the same", () => {
    const driven = reading(7);
    const hole = { kind: "hole", watermark: 7, found: 9 } as const;
    expect(driven.entry(9)).to.deep.equal([
      report({ ...hole, lost: false }),
      close(1),
      arm("reload", 100),
    ]);
    expect(driven.entry(8)).to.deep.equal([]); // Nothing behind a gap is stored.
    driven.timer("reload");
    driven.loaded(7, 1);
    expect(driven.entry(9, own, { reader: 2 })).to.deep.equal([
      report({ ...hole, lost: true }),
      close(2),
      arm("reload", 200),
    ]);
    // Another runner was faster: the next gap is a new one.
    driven.timer("reload");
    driven.loaded(8, 1);
    expect(driven.entry(10, own, { reader: 3 })).to.deep.equal([
      report({ kind: "hole", watermark: 8, found: 10, lost: false }),
      close(3),
      arm("reload", 400),
    ]);
  });

  it("archiver.3: writes the entries before a gap first, and such a gap reports no loss", () => {
    const driven = reading(7);
    driven.entry(8);
    const effects = driven.entry(10);
    expect(effects.slice(0, 2)).to.deep.equal([
      report({ kind: "hole", watermark: 8, found: 10, lost: false }),
      close(1),
    ]);
    expect(batchOf(effects)).to.deep.include({ from: 7, to: 8 });
    driven.written({ kind: "moved" });
    driven.timer("reload");
    // The earlier gap did not begin at this watermark, so this gap is the first one here.
    driven.loaded(7, 1);
    expect(driven.entry(9, own, { reader: 2 })[0]).to.deep.equal(
      report({ kind: "hole", watermark: 7, found: 9, lost: false }),
    );
  });

  it("archiver.3: with a gap behind a write in flight, waits for it, writes the rest, and only then waits to reload", () => {
    const driven = writing(7);
    driven.entry(9);
    expect(driven.entry(11)).to.deep.equal([
      report({ kind: "hole", watermark: 9, found: 11, lost: false }),
      close(1),
    ]);
    const effects = driven.written();
    expect(kinds(effects)).to.deep.equal(["report", "publish-watermark", "write"]);
    expect(batchOf(effects)).to.deep.include({ from: 8, to: 9 });
    expect(driven.written()).to.deep.equal([
      report({ kind: "wrote", watermark: 9, events: 0, quarantined: 0, waiting: 0 }),
      published(9),
      arm("reload", 100),
    ]);
    expect(driven.timer("reload")).to.deep.equal([LOAD]);
  });

  it("archiver.3: does not close a failed reader again, writes its entries, and reads on from there", () => {
    const driven = reading(7);
    driven.entry(8);
    const failed = { kind: "reader-failed", reader: 1, reason: "gone" } as const;
    const effects = driven.step(failed);
    expect(kinds(effects)).to.deep.equal(["report", "write"]);
    expect(effects[0]).to.deep.equal(report({ kind: "reader-failed", reason: "gone" }));
    expect(driven.step(failed)).to.deep.equal([]);
    expect(driven.written().at(-1)).to.deep.equal(arm("reload", 100));
    driven.timer("reload");
    expect(driven.loaded(8, 8).at(-1)).to.deep.equal(open(2, 9));
    expect(driven.step(failed)).to.deep.equal([]); // Reader 1 is no longer in use.
    expect(driven.step({ ...failed, reader: 2 })).to.deep.equal([
      report({ kind: "reader-failed", reason: "gone" }),
      arm("reload", 200),
    ]);
  });

  it("archiver.4: closes the reader at the bound, and opens it again when half is free", () => {
    const driven = reading(0, { batch: { linesMax: 3, bytesMax: 1_000 } });
    for (const seq of [1, 2]) driven.entry(seq);
    expect(kinds(driven.entry(3))).to.deep.equal(["write"]);
    for (const seq of [4, 5, 6, 7, 8, 9, 10]) expect(driven.entry(seq)).to.deep.equal([]);
    expect(driven.entry(11)).to.deep.equal([close(1)]);
    expect(driven.entry(12)).to.deep.equal([]);
    expect(kinds(driven.written())).to.deep.equal(["report", "publish-watermark", "write"]);
    expect(batchOf(driven.written())).to.deep.include({ from: 6, to: 9 }); // Five waited.
    expect(driven.written().slice(2)).to.deep.equal([open(2, 12), arm("linger", 250)]);
  });

  it("archiver.4: a single entry may be larger than the bound", () => {
    const driven = reading();
    const effects = driven.entry(1, own, { bytes: 2_000 });
    expect(kinds(effects)).to.deep.equal(["close-reader", "write"]);
    const done = driven.written();
    expect(done.at(-1)).to.deep.equal(open(2, 2));
  });

  it("projection.3, projection.4: reports undecodable and void entries with their log sequence", () => {
    const driven = reading(7);
    expect(driven.entry(8, "odd")).to.deep.equal([
      report({ kind: "unread", entry: 8, reason: "the header is not JSON" }),
      arm("linger", 250),
    ]);
    expect(driven.entry(9, commit(6, 1, 1))).to.deep.equal([report({ kind: "void", entry: 9 })]);
    const broken = { kind: "entry", reader: 1, seq: 10, text: own, bytes: 10 } as const;
    expect(driven.step({ ...broken, broken: "the entry is not UTF-8" })).to.deep.equal([
      report({ kind: "unread", entry: 10, reason: "the entry is not UTF-8" }),
    ]);
    const batch = batchOf(driven.timer("linger"));
    expect(batch).to.deep.include({ from: 7, to: 10, epoch: 0, events: [] });
    expect(batch?.unread?.map(({ entry }) => entry)).to.deep.equal([8, 10]);
  });

  it("D5: reads the log's size when a trim may be due, once at a time, and trims behind the kept entries", () => {
    const driven = writing(11);
    expect(driven.written()).to.deep.equal([
      report({ kind: "wrote", watermark: 12, events: 0, quarantined: 0, waiting: 0 }),
      published(12),
      LOOK,
    ]);
    // A request for the size is already open.
    expect(driven.step({ kind: "tick" })).to.deep.equal([published(12)]);
    expect(driven.step({ kind: "log", outcome: logOf(20) })).to.deep.equal([
      { kind: "trim", upTo: 2 },
    ]);
    driven.entry(13);
    driven.timer("linger");
    driven.now = 14_999;
    expect(kinds(driven.written())).to.not.include("read-log-size");
    driven.now = 15_000;
    expect(driven.step({ kind: "tick" })).to.deep.equal([published(13), LOOK]);
    expect(driven.step({ kind: "log", outcome: logOf(20) })).to.deep.equal([
      { kind: "trim", upTo: 3 },
    ]);
  });

  it("D5: does not trim a log that does not answer or has nothing to remove, and reads its size again later", () => {
    const driven = reading(50, { keepShare: 0.5 });
    expect(driven.step({ kind: "tick" })).to.deep.include(LOOK);
    const unknown = { kind: "unknown", reason: "slow" } as const;
    expect(driven.step({ kind: "log", outcome: unknown })).to.deep.equal([]);
    expect(driven.step({ kind: "tick" })).to.deep.include(LOOK);
    const outcome = { kind: "ok", first: 1, last: 50, bytes: 500, bytesMax: 1_000 } as const;
    expect(driven.step({ kind: "log", outcome })).to.deep.equal([]);
    driven.now = 15_000;
    expect(driven.step({ kind: "tick" })).to.deep.include(LOOK);
  });

  it("archiver.6: stopped without a write in flight, it ends at once and reacts to nothing more", () => {
    const idle = new Driven();
    expect(idle.step({ kind: "stop" })).to.deep.equal([STOPPED]);
    expect(idle.step({ kind: "start" })).to.deep.equal([]);

    const loading = new Driven();
    loading.step({ kind: "start" });
    expect(loading.step({ kind: "stop" })).to.deep.equal([STOPPED]);
    expect(loading.loaded(7)).to.deep.equal([]);
    expect(loading.step({ kind: "tick" })).to.deep.equal([]);

    const waiting = reading(7);
    waiting.entry(8);
    expect(waiting.step({ kind: "stop" })).to.deep.equal([close(1), STOPPED]);
    expect(waiting.timer("linger")).to.deep.equal([]);
    expect(waiting.step({ kind: "stop" })).to.deep.equal([]);
  });

  it("archiver.6: waits for the write in flight, and begins nothing else", () => {
    const driven = writing(50);
    driven.step({ kind: "tick" }); // It requests the log's size.
    driven.entry(52);
    expect(driven.step({ kind: "stop" })).to.deep.equal([close(1)]);
    expect(driven.step({ kind: "stop" })).to.deep.equal([]);
    expect(driven.step({ kind: "tick" })).to.deep.equal([]);
    expect(driven.timer("linger")).to.deep.equal([]);
    expect(driven.entry(53)).to.deep.equal([]);
    expect(driven.step({ kind: "reader-failed", reader: 1, reason: "gone" })).to.deep.equal([]);
    expect(driven.step({ kind: "log", outcome: logOf(60) })).to.deep.equal([]);
    expect(driven.written({ kind: "unavailable", reason: "slow" })).to.deep.equal([STOPPED]);
    expect(driven.written()).to.deep.equal([]);
  });

  it("archiver.6: a batch that waits for its retry is not in flight", () => {
    const driven = writing(7);
    driven.written({ kind: "unavailable", reason: "slow" });
    expect(driven.step({ kind: "stop" })).to.deep.equal([close(1), STOPPED]);
    expect(driven.timer("retry")).to.deep.equal([]);
  });

  it("archiver.1: an input without a matching effect is a broken invariant", () => {
    const started = new Driven();
    started.step({ kind: "start" });
    const withoutBatch = reading(7);
    const odd = { kind: "odd" } as unknown as ArchiverInput;
    for (const step of [
      () => started.step({ kind: "start" }),
      () => reading(7).loaded(8),
      () => new Driven().written(),
      () => new Driven().timer("retry"),
      () => withoutBatch.timer("reload"),
      () => withoutBatch.written(),
      () => withoutBatch.timer("retry"),
      () => withoutBatch.step(odd),
      () => withoutBatch.timer("odd" as TimerName),
    ]) {
      expect(step).to.throw(BrokenInvariant);
    }
  });

  it("archiver.4: the bounds let a batch hold any entry, and a backlog hold several batches", () => {
    expect(LIMITS.batch.bytesMax).to.be.at.least(ENTRY_BYTES_MAX);
    expect(LIMITS.backlog.bytesMax).to.be.at.least(2 * LIMITS.batch.bytesMax);
    expect(LIMITS.backlog.linesMax).to.be.at.least(2 * LIMITS.batch.linesMax);
    expect(LIMITS.retry.capMs).to.be.above(LIMITS.retry.baseMs);
  });
});
