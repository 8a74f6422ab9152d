// Archiver: copies one partition's log into the archive, in order and in large batches.
//
//   idle → loading (the watermark W) → reading (the log from W+1, one write in flight)
//             ▲                            │ moved, a gap, a failed reader
//             └──────── waiting ◀──────────┘
//
// Owns: when to write, and the reaction to each outcome. Does not own: the log, the store, timers,
// the bus. The runner (runtime/archive-runner.ts) performs the effects in order and feeds the
// results back as inputs. After an uncertain outcome there is one recovery: load the watermark and
// read from there.
//
//   archiver.1. At most one write is in flight. Its batch continues exactly at the watermark.
//   archiver.2. A batch with an uncertain outcome is sent again unchanged. If it was stored, the
//        store returns `moved`, and the archiver loads the watermark (D1, D2).
//   archiver.3. Entries are accepted only in the order of their log sequence, each once. A sequence
//        that is too high means a gap, and nothing beyond it is stored. If another runner archived
//        and trimmed meanwhile, the reloaded watermark is past the gap. If it is not, entries are
//        gone that the archive never had. Passing over them would let sequence numbers be assigned
//        twice, so the partition stops there, reports it, and checks again until an operator
//        repairs it. The log keeps the later entries.
//   archiver.4. The backlog is bounded (`backlog` of the options). At the bound the archiver closes
//        the reader, and opens it again at the next entry when half of the backlog is free.
//   archiver.5. Only a watermark that the store confirmed is published.
//   archiver.6. After `stop` the archiver waits for the write in flight and begins nothing else.
//   archiver.7. An entry of a newer version stops the partition like a lost stretch (N8): this
//        version would archive its events as texts that no reader finds. A newer process archives
//        it.
//   archiver.8. An upper half is archived only when the archive has its watermark, because only
//        then the archive has the events of its rooms before the split (archive.6). The archiver
//        of the split partition publishes that watermark at once: the new owner waits for it.

import { assert, unreachable } from "#shared/kit/assert.ts";
import { fullJitter } from "#shared/kit/backoff.ts";
import type { ArchiveBatch, Read, Watermark, WriteOutcome } from "#shared/ports/archive.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Epoch, LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import type {
  ArchiverEffect,
  ArchiverInput,
  ArchiverOptions,
  ArchiverReport,
  TimerName,
} from "./archiver-io.ts";
import { Backlog } from "./backlog.ts";
import { keepWhole, projectEntry } from "./projection.ts";
import { Trimmer } from "./trim.ts";

interface Writing {
  readonly batch: ArchiveBatch;
  /** False while it waits for its retry. */
  isSent: boolean;
}

interface Reading {
  readonly kind: "reading";
  readonly backlog: Backlog;
  /** The log sequence that the next entry must have. */
  next: LogSeq;
  /** The epoch in force before that entry (P15). */
  epoch: Epoch;
  /** Undefined while closed: the backlog is full, or the reading ends. */
  reader: number | undefined;
  writing: Writing | undefined;
  isLingering: boolean;
  /** No reader is opened again. When everything that was read is written: wait, then reload. */
  isEnding: boolean;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "loading" }
  | { readonly kind: "waiting" }
  | Reading
  /** A write is in flight; only its outcome is awaited. */
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" };

export class Archiver {
  readonly #p: Partition;
  readonly #options: ArchiverOptions;
  readonly #random: Random;
  readonly #trimmer: Trimmer;
  #state: State = { kind: "idle" };
  #effects: ArchiverEffect[] = [];
  #watermark: Watermark | undefined;
  /** Failures since the last progress; they set the backoff. */
  #failures = 0;
  #readers = 0;
  /** The newest `of` whose upper half was announced (archiver.8). */
  #announcedOf: number | undefined;
  /** A request for the size of the log is open; a trim may follow. */
  #isReadingSize = false;
  /**
   * The watermark at the last gap, to distinguish a lost stretch from a faster runner (archiver.3).
   */
  #gapAt: LogSeq | undefined;

  constructor(p: Partition, options: ArchiverOptions, random: Random) {
    this.#p = p;
    this.#options = options;
    this.#random = random;
    const { keepEntries, keepShare, keepMs, trimEveryMs: everyMs } = options;
    this.#trimmer = new Trimmer({ keepEntries, keepShare, keepMs, everyMs });
  }

  /** The last watermark that the store confirmed to this archiver. */
  get watermark(): Watermark | undefined {
    return this.#watermark;
  }

  /** archiver.8: the archive has the watermark of this partition. */
  get isBegun(): boolean {
    return this.#archivedTo >= this.#firstSeq - 1;
  }

  get #firstSeq(): LogSeq {
    return this.#options.firstSeq ?? 1;
  }

  /** The log sequence up to which this archiver knows the log to be archived. */
  get #archivedTo(): LogSeq {
    return this.#watermark?.seq ?? 0;
  }

  step(input: ArchiverInput, now: Millis): readonly ArchiverEffect[] {
    this.#effects = [];
    if (this.#state.kind !== "stopped") this.#on(input, now);
    return this.#effects;
  }

  #on(input: ArchiverInput, now: Millis): void {
    switch (input.kind) {
      case "start":
        assert(this.#state.kind === "idle", "an archiver is started once");
        return this.#load();
      case "stop":
        return this.#onStop();
      case "watermark":
        return this.#onWatermark(input.read);
      case "entry":
        return this.#onEntry(input);
      case "reader-failed":
        return this.#onReaderFailed(input);
      case "written":
        return this.#onWritten(input.outcome, now);
      case "log":
        return this.#onLog(input.outcome, now, input.wall);
      case "timer":
        return this.#onTimer(input.name);
      case "tick":
        if (this.#state.kind === "stopping") return;
        this.#publishWatermark();
        return this.#trim(now);
      default:
        return unreachable(input);
    }
  }

  #load(): void {
    this.#state = { kind: "loading" };
    this.#emit({ kind: "read-watermark" });
  }

  #onWatermark(read: Read<Watermark>): void {
    assert(this.#state.kind === "loading", "a watermark is expected only while loading");
    if (read.kind === "unavailable") {
      this.#report({ kind: "unavailable", what: "watermark", reason: read.reason });
      return this.#waitAndReload();
    }
    const { seq, epoch } = read.value;
    this.#watermark = read.value;
    this.#report({ kind: "loaded", watermark: seq });
    this.#publishWatermark();
    const reading: Reading = {
      kind: "reading",
      backlog: new Backlog(this.#options.backlog),
      next: Math.max(seq + 1, this.#firstSeq),
      epoch,
      reader: undefined,
      writing: undefined,
      isLingering: false,
      isEnding: false,
    };
    this.#state = reading;
    this.#openReader(reading);
  }

  #onEntry(input: Extract<ArchiverInput, { kind: "entry" }>): void {
    const reading = this.#readingOf(input.reader);
    if (reading === undefined || input.seq < reading.next) return;
    if (!this.isBegun) return this.#end(reading); // archiver.8
    if (input.seq > reading.next) return this.#onGap(reading, input.seq);
    const { seq, text, bytes, broken } = input;
    const entry =
      broken === undefined
        ? projectEntry(seq, text, reading.epoch)
        : keepWhole(seq, text, reading.epoch, broken);
    if (entry.isNewer === true) {
      this.#report({ kind: "newer", entry: seq });
      return this.#end(reading); // archiver.7
    }
    for (const { reason } of entry.unread) this.#report({ kind: "unread", entry: seq, reason });
    if (entry.isVoid) this.#report({ kind: "void", entry: seq });
    reading.next++;
    reading.epoch = entry.epoch;
    reading.backlog.push(entry, bytes);
    if (reading.backlog.isFull) this.#closeReader(reading); // archiver.4
    this.#writeSoon(reading);
  }

  /** archiver.3. */
  #onGap(reading: Reading, found: LogSeq): void {
    const watermark = this.#archivedTo;
    // Only a gap that begins directly behind the watermark is evidence about the archive.
    const isAtWatermark = reading.next === watermark + 1;
    const lost = isAtWatermark && this.#gapAt === watermark;
    if (isAtWatermark) this.#gapAt = watermark;
    this.#report({ kind: "hole", watermark: reading.next - 1, found, lost });
    this.#end(reading);
  }

  #onReaderFailed(input: Extract<ArchiverInput, { kind: "reader-failed" }>): void {
    const reading = this.#readingOf(input.reader);
    if (reading === undefined) return;
    reading.reader = undefined; // It closed itself.
    this.#report({ kind: "reader-failed", reason: input.reason });
    this.#end(reading);
  }

  #onWritten(outcome: WriteOutcome, now: Millis): void {
    if (this.#state.kind === "stopping") return this.#finish();
    const { reading, writing } = this.#inFlight();
    const { batch } = writing;
    if (outcome.kind === "unavailable") {
      this.#report({ kind: "unavailable", what: "write", reason: outcome.reason });
      writing.isSent = false;
      return this.#emit({ kind: "arm-timer", name: "retry", afterMs: this.#backoff() });
    }
    reading.writing = undefined;
    if (outcome.kind === "moved") {
      this.#report({ kind: "moved", watermark: batch.from });
      this.#closeReader(reading);
      return this.#waitAndReload(); // The backlog continues a watermark that no longer exists.
    }
    this.#failures = 0;
    // Only the store knows whether a claim came meanwhile: treating it as settled is the safe guess
    // (history-server.3).
    const isSettled = batch.isReleased === true;
    const of = batch.splits?.at(-1) ?? this.#watermark?.of;
    const split = of !== undefined && { of };
    this.#watermark = { seq: batch.to, epoch: batch.epoch, isSettled, ...split };
    this.#report({
      kind: "wrote",
      watermark: batch.to,
      events: batch.events.length,
      quarantined: outcome.quarantined,
      waiting: reading.backlog.lines,
    });
    this.#publishWatermark(); // archiver.5
    this.#trim(now);
    if (reading.isEnding) return this.#end(reading);
    if (reading.reader === undefined && reading.backlog.hasRoom) this.#openReader(reading);
    this.#writeSoon(reading);
  }

  #onTimer(name: TimerName): void {
    switch (name) {
      case "reload":
        assert(this.#state.kind === "waiting", "only its timer or `stop` ends the wait");
        return this.#load();
      case "linger":
        // The timer of a batch that became full earlier may still fire.
        if (this.#state.kind === "reading" && this.#state.isLingering) this.#write(this.#state);
        return;
      case "retry":
        return this.#onRetry();
      default:
        return unreachable(name);
    }
  }

  #onRetry(): void {
    const { reading, writing } = this.#inFlight();
    this.#send(reading, writing.batch);
  }

  /** The batch that was sent, or waits for its retry. */
  #inFlight(): { readonly reading: Reading; readonly writing: Writing } {
    assert(this.#state.kind === "reading", "a batch belongs to a reading");
    const reading = this.#state;
    const { writing } = reading;
    assert(writing !== undefined, "a batch is in flight");
    return { reading, writing };
  }

  #onStop(): void {
    const state = this.#state;
    if (state.kind === "stopping") return;
    if (state.kind !== "reading") return this.#finish();
    this.#closeReader(state);
    if (state.writing?.isSent === true) this.#state = { kind: "stopping" }; // archiver.6
    else this.#finish();
  }

  #finish(): void {
    this.#state = { kind: "stopped" };
    this.#emit({ kind: "stopped" });
  }

  /** Writes a full batch at once; a smaller one waits for more entries, at most lingerMs. */
  #writeSoon(reading: Reading): void {
    if (reading.writing !== undefined || reading.backlog.isEmpty) return;
    if (reading.backlog.fills(this.#options.batch)) return this.#write(reading);
    if (reading.isLingering) return;
    reading.isLingering = true;
    this.#emit({ kind: "arm-timer", name: "linger", afterMs: this.#options.lingerMs });
  }

  /** No batch is in flight, and the backlog is not empty (archiver.1). */
  #write(reading: Reading): void {
    reading.isLingering = false;
    const batch = reading.backlog.take(this.#p, this.#archivedTo, this.#options.batch);
    this.#send(reading, batch);
  }

  #send(reading: Reading, batch: ArchiveBatch): void {
    reading.writing = { batch, isSent: true };
    this.#emit({ kind: "write", batch });
  }

  /**
   * The reader is useless now, but the entries that it delivered are in order: write them, then
   * reload.
   */
  #end(reading: Reading): void {
    this.#closeReader(reading);
    reading.isEnding = true;
    if (reading.writing !== undefined) return;
    if (reading.backlog.isEmpty) this.#waitAndReload();
    else this.#write(reading);
  }

  #waitAndReload(): void {
    this.#state = { kind: "waiting" };
    this.#emit({ kind: "arm-timer", name: "reload", afterMs: this.#backoff() });
  }

  #backoff(): number {
    return fullJitter(this.#failures++, this.#options.retry, this.#random);
  }

  #openReader(reading: Reading): void {
    reading.reader = ++this.#readers;
    this.#emit({ kind: "open-reader", reader: reading.reader, from: reading.next });
  }

  #closeReader(reading: Reading): void {
    if (reading.reader === undefined) return;
    this.#emit({ kind: "close-reader", reader: reading.reader });
    reading.reader = undefined;
  }

  /** The reading that `reader` serves. Entries of a closed reader may still arrive. */
  #readingOf(reader: number): Reading | undefined {
    const state = this.#state;
    return state.kind === "reading" && state.reader === reader ? state : undefined;
  }

  #publishWatermark(): void {
    const seq = this.#archivedTo;
    if (seq > 0) this.#emit({ kind: "publish-watermark", seq });
    const of = this.#watermark?.of;
    if (of === undefined || of === this.#announcedOf) return;
    this.#announcedOf = of;
    this.#emit({ kind: "publish-watermark", seq: 1, p: this.#p + of / 2 }); // archiver.8
  }

  #trim(now: Millis): void {
    if (this.#isReadingSize || !this.#trimmer.isDue(this.#archivedTo, now)) return;
    this.#isReadingSize = true;
    this.#emit({ kind: "read-log-size" });
  }

  #onLog(outcome: LastOutcome, now: Millis, wall: Millis | undefined): void {
    this.#isReadingSize = false;
    if (outcome.kind !== "ok" || this.#state.kind === "stopping") return;
    const upTo = this.#trimmer.decide(this.#archivedTo, outcome, now, wall);
    if (upTo !== undefined) this.#emit({ kind: "trim", upTo });
  }

  #report(report: ArchiverReport): void {
    this.#emit({ kind: "report", report });
  }

  #emit(effect: ArchiverEffect): void {
    this.#effects.push(effect);
  }
}
