// ArchiveRunner: drives the archiver of one partition.
//
// It performs the archiver's effects in order and feeds the results back, one input at a time. It
// uses ports only, so the simulation runs it unchanged. Owns: its reader and its timers.

import { Archiver } from "../core/archiver.ts";
import type {
  ArchiverEffect,
  ArchiverInput,
  ArchiverOptions,
  ArchiverReport,
  TimerName,
} from "../core/archiver-io.ts";
import { unreachable } from "#shared/kit/assert.ts";
import type { ArchiveBatch, ArchiveStore, Watermark } from "#shared/ports/archive.ts";
import type { Bus } from "#shared/ports/bus.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { LogReader, PartitionLog, ReadHandlers } from "#shared/ports/log.ts";
import { noTracer } from "#shared/ports/tracer.ts";
import type { Span, Tracer } from "#shared/ports/tracer.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { encodeWatermark } from "#shared/protocol/watermark.ts";

export interface RunnerPorts {
  readonly log: PartitionLog;
  readonly store: Pick<ArchiveStore, "watermark" | "write">;
  readonly bus: Pick<Bus, "publish">;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer?: Tracer;
  /** Receives everything that a log or a metric records. */
  readonly onReport: (p: Partition, report: RunnerReport) => void;
}

export type RunnerReport =
  | ArchiverReport
  | {
      readonly kind: "trimmed";
      readonly upTo: LogSeq;
      readonly outcome: "ok" | "refused" | "unknown";
    };

/**
 * Entries of a quiet partition are read together; slightly less than the time they wait in a batch.
 */
const GATHER_MS = 200;

export class ArchiveRunner {
  readonly #p: Partition;
  readonly #ports: RunnerPorts;
  readonly #archiver: Archiver;
  readonly #timers = new Map<TimerName, Timer>();
  readonly #inputs: ArchiverInput[] = [];
  readonly #stopped = Promise.withResolvers<void>();
  readonly #tickMs: Millis;
  #ticks: Timer | undefined;
  #reader: { readonly id: number; log: LogReader | undefined } | undefined;
  #isStepping = false;

  constructor(p: Partition, ports: RunnerPorts, options: ArchiverOptions) {
    this.#p = p;
    this.#ports = ports;
    this.#archiver = new Archiver(p, options, ports.random);
    this.#tickMs = options.tickMs;
  }

  /** The watermark that this runner knows; a lower bound of the store's. */
  get watermark(): Watermark | undefined {
    return this.#archiver.watermark;
  }

  /** False for an upper half whose split is not archived (archiver.8). */
  get isBegun(): boolean {
    return this.#archiver.isBegun;
  }

  start(): void {
    this.#ticks = this.#ports.clock.every(this.#tickMs, () => this.#feed({ kind: "tick" }));
    this.#feed({ kind: "start" });
  }

  /** Resolves after the write in flight, if there is one. Idempotent. */
  stop(): Promise<void> {
    this.#feed({ kind: "stop" });
    return this.#stopped.promise;
  }

  /**
   * A log may deliver entries while a reader is being opened, so inputs queue behind the current
   * step.
   */
  #feed(input: ArchiverInput): void {
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        for (const effect of this.#archiver.step(next, this.#ports.clock.monotonic())) {
          this.#perform(effect);
        }
      }
    } finally {
      this.#isStepping = false;
    }
  }

  #perform(effect: ArchiverEffect): void {
    const { store, bus, clock, onReport } = this.#ports;
    switch (effect.kind) {
      case "read-watermark":
        void store.watermark(this.#p).then((read) => this.#feed({ kind: "watermark", read }));
        return;
      case "open-reader":
        return this.#open(effect.reader, effect.from);
      case "close-reader":
        return this.#close(effect.reader);
      case "write":
        return this.#write(effect.batch);
      case "publish-watermark": {
        const { seq, p = this.#p } = effect;
        bus.publish(subjects.watermark(p), encodeWatermark(p, seq));
        return;
      }
      case "arm-timer": {
        const { name } = effect;
        this.#timers.get(name)?.cancel();
        const timer = clock.after(effect.afterMs, () => this.#feed({ kind: "timer", name }));
        this.#timers.set(name, timer);
        return;
      }
      case "read-log-size":
        void this.#ports.log.last(this.#p).then((outcome) => {
          this.#feed({ kind: "log", outcome, wall: this.#ports.clock.now() });
        });
        return;
      case "trim":
        return this.#trim(effect.upTo);
      case "report":
        return onReport(this.#p, effect.report);
      case "stopped":
        for (const timer of this.#timers.values()) timer.cancel();
        this.#timers.clear();
        this.#ticks?.cancel();
        return this.#stopped.resolve();
      default:
        return unreachable(effect);
    }
  }

  #write(batch: ArchiveBatch): void {
    const { store, tracer = noTracer } = this.#ports;
    const span = batch.traces && startSpan(tracer, batch, batch.traces);
    void store.write(batch).then((outcome) => {
      if (outcome.kind === "ok") span?.end();
      else span?.end({ "error.type": outcome.kind }, outcome.kind);
      this.#feed({ kind: "written", outcome });
    });
  }

  #open(id: number, from: LogSeq): void {
    const reader = { id, log: undefined as LogReader | undefined };
    this.#reader = reader;
    const handlers: ReadHandlers = {
      onEntry: (seq, data) => this.#feed({ kind: "entry", reader: id, seq, ...decode(data) }),
      onError: (reason) => this.#feed({ kind: "reader-failed", reader: id, reason }),
    };
    reader.log = this.#ports.log.read(this.#p, from, handlers, { gatherMs: GATHER_MS });
  }

  #close(id: number): void {
    if (this.#reader?.id !== id) return;
    this.#reader.log?.close();
    this.#reader = undefined;
  }

  #trim(upTo: LogSeq): void {
    void this.#ports.log.trim(this.#p, upTo).then(({ kind: outcome }) => {
      this.#ports.onReport(this.#p, { kind: "trimmed", upTo, outcome });
    });
  }
}

/** A span under the first traced message of the batch, with links to all of them. */
function startSpan(
  tracer: Tracer,
  { p, events }: ArchiveBatch,
  links: readonly string[],
): Span | undefined {
  const attributes = {
    "db.system.name": "postgresql",
    "db.operation.batch.size": events.length,
    "parley.partition": p,
  };
  return tracer.start("archive batch", { parent: links[0], links, attributes });
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

function decode(data: Uint8Array): { text: string; bytes: number; broken?: string } {
  const bytes = data.length;
  try {
    return { text: strict.decode(data), bytes };
  } catch {
    // Not UTF-8: quarantined with replacement characters, because a text column cannot hold the
    // bytes.
    return { text: lossy.decode(data), bytes, broken: "the entry is not UTF-8" };
  }
}
