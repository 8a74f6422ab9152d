// PartitionRunner: performs the effects of one partition on the ports and returns each outcome as
// an input.
//
// Owns: the subscriptions, the log reader, the order of steps. Does not own: any decision
// (core/partition.ts).
//
//   partition-runner.1. Inputs are stepped one at a time. An input that arrives while effects are
//       performed waits.
//   partition-runner.2. The core's `now` never jumps: it is the wall clock at the start of this
//       process, advanced by the monotonic clock. The current wall clock is passed beside it.
//   partition-runner.3. An answer is stepped with the number of the tenure that requested it.

import { decodeEntry } from "#shared/protocol/entry.ts";
import { decodeCommandBatch } from "#shared/protocol/command-batch.ts";
import { encodeResults, encodeResync } from "#shared/protocol/results.ts";
import type {
  Epoch,
  Millis,
  Partition as PartitionNumber,
  ProcessId,
} from "#shared/protocol/ids.ts";
import { encodeNote } from "#shared/protocol/note.ts";
import { encodeLive } from "#shared/protocol/live.ts";
import { encodeHead, encodeOut } from "#shared/protocol/lines.ts";
import { OWNER_QUEUE, subjects } from "#shared/protocol/subjects.ts";
import { decodeWatermark } from "#shared/protocol/watermark.ts";
import { base64url } from "#shared/kit/base64url.ts";
import { Refusals } from "#shared/kit/refusals.ts";
import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { Bus, BusMessage, Subscription } from "#shared/ports/bus.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { AppendOutcome, LogReader, PartitionLog } from "#shared/ports/log.ts";
import { noTracer } from "#shared/ports/tracer.ts";
import type { Tracer } from "#shared/ports/tracer.ts";
import type { Effect, Input } from "../core/partition-io.ts";
import type { Partition } from "../core/partition.ts";
import { RoomStats } from "./room-stats.ts";
import type { RefusedMessage } from "./room-stats.ts";
import { RoomTraces } from "./room-traces.ts";

export interface RunnerPorts {
  readonly bus: Bus;
  readonly log: PartitionLog;
  readonly archive: ArchiveReader;
  readonly clock: Clock;
  /** Writes a structured log line. */
  readonly report: (event: string, detail: object) => void;
  /** Counters. They have no other effect. */
  readonly stats?: RoomStats;
  readonly tracer?: Tracer;
  /**
   * An invariant is broken. Ends the process; the log is the source of truth, and a peer takes
   * over.
   */
  readonly fault: (error: unknown) => void;
}

export class PartitionRunner {
  readonly p: PartitionNumber;
  readonly core: Partition;
  readonly #ports: RunnerPorts;
  readonly #stats: RoomStats;
  readonly #traces: RoomTraces;
  readonly #onChanged: () => void;
  readonly #onCommandsFrom: (gateway: ProcessId) => void;
  readonly #refusals: Refusals;
  readonly #inputs: Input[] = [];
  readonly #watermarks: Subscription;
  readonly #beganAt: Millis;
  /** Commands received and events broadcast, since the start. */
  #work = 0;
  #isStepping = false;
  #commands: Subscription[] = [];
  #reader: LogReader | undefined;

  constructor(
    p: PartitionNumber,
    options: {
      readonly core: Partition;
      readonly ports: RunnerPorts;
      readonly onChanged: () => void;
      /** Called before a batch of this gateway is stepped. */
      readonly onCommandsFrom: (gateway: ProcessId) => void;
    },
  ) {
    this.p = p;
    this.core = options.core;
    this.#ports = options.ports;
    const { stats = new RoomStats(), tracer = noTracer, clock } = options.ports;
    this.#stats = stats;
    this.#traces = new RoomTraces(p, tracer, clock);
    this.#onChanged = options.onChanged;
    this.#onCommandsFrom = options.onCommandsFrom;
    this.#refusals = new Refusals(options.ports.report, clock);
    this.#beganAt = clock.now() - clock.monotonic();
    this.#watermarks = this.#ports.bus.subscribe(subjects.watermark(p), (message) =>
      this.#onWatermark(message),
    );
  }

  /** A measure of the work so far: the load of the process is divided by it. */
  get work(): number {
    return this.#work;
  }

  step(input: Input): void {
    this.#inputs.push(input);
    if (this.#isStepping) return; // partition-runner.1
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const now = this.#beganAt + this.#ports.clock.monotonic(); // partition-runner.2
        const effects = this.core.step(next, now, this.#ports.clock.now());
        for (const effect of effects) this.#perform(effect);
      }
    } catch (error: unknown) {
      // A step that threw has left its memory half changed. Only a restart of the process repairs
      // that.
      this.#ports.fault(error);
    } finally {
      this.#isStepping = false;
    }
  }

  close(): void {
    this.#watermarks.unsubscribe();
    for (const subscription of this.#commands.splice(0)) subscription.unsubscribe();
    this.#reader?.close();
  }

  #perform(effect: Effect): void {
    const { bus, clock, report } = this.#ports;
    switch (effect.kind) {
      case "broadcast": {
        const { room, first, lines, traces } = effect;
        this.#stats.events += lines.length;
        this.#work += lines.length;
        bus.publish(subjects.out(room), encodeOut(first, lines, traces));
        return;
      }
      case "repeat-head":
        bus.publish(subjects.out(effect.room), encodeHead(effect.head, effect.born));
        return;
      case "reply": {
        const { gateway, epoch, results } = effect;
        this.#traces.onResults(gateway, results);
        for (const message of encodeResults(this.p, epoch, results)) {
          bus.publish(subjects.results(gateway), message);
        }
        return;
      }
      case "resync": {
        const { gateway, epoch, lane } = effect;
        this.#stats.resyncs++;
        bus.publish(subjects.results(gateway), encodeResync(this.p, epoch, lane, effect));
        return;
      }
      case "announce":
        bus.publish(subjects.live(effect.frame.room), encodeLive(effect.frame));
        return;
      case "note": {
        const { user, ...note } = effect.note;
        bus.publish(subjects.note(base64url(user)), encodeNote(note));
        return;
      }
      case "flush-soon":
        clock.soon(() => this.step({ kind: "flush" }));
        return;
      case "subscribe":
        this.#subscribe();
        return;
      case "unsubscribe":
        this.#unsubscribe();
        return;
      case "changed":
        this.#onChanged();
        return;
      case "log":
        this.#stats.reports.add(effect.event);
        report(effect.event, { p: this.p, ...effect.detail });
        return;
      case "append":
      case "read-last":
      case "read-watermark":
      case "get-entry":
      case "load-room":
      case "look-up":
      case "open-reader":
      case "close-reader":
        this.#request(effect);
    }
  }

  /**
   * Performs the effects that have an answer: one input with the number of the requesting tenure.
   */
  #request(effect: RequestEffect): void {
    const { p } = this;
    const { log, archive } = this.#ports;
    const { tenure } = this.core; // partition-runner.3
    switch (effect.kind) {
      case "append": {
        const { n, text, expected, traces, events = 0 } = effect;
        const began = this.#begin(effect);
        const span = this.#traces.onAppend(traces, events);
        this.#then(log.append(p, text, expected), (outcome) => {
          this.#end(outcome, began);
          if (span !== undefined) this.#traces.onAppended(span, outcome);
          return { kind: "appended", tenure, n, outcome };
        });
        return;
      }
      case "read-last":
        this.#readLast(effect.withArchive === true);
        return;
      case "read-watermark":
        this.#readWatermark(effect.claim);
        return;
      case "get-entry": {
        const { logSeq } = effect;
        this.#then(log.get(p, logSeq), (outcome) => {
          const entry = outcome.kind === "ok" ? decodeEntry(decode(outcome.data)) : undefined;
          return { kind: "entry-read", tenure, logSeq, entry };
        });
        return;
      }
      case "load-room": {
        this.#stats.loads++;
        const { room, since } = effect;
        this.#then(archive.snapshot(p, room, since), (outcome) => ({
          kind: "room-loaded",
          tenure,
          room,
          outcome,
        }));
        return;
      }
      case "look-up": {
        this.#stats.lookUps++;
        const { room, from, id, target } = effect;
        this.#then(archive.lookup(p, room, from, id, target), (outcome) => ({
          kind: "looked-up",
          tenure,
          room,
          from,
          id,
          target,
          outcome,
        }));
        return;
      }
      case "open-reader":
        this.#reader?.close();
        this.#reader = log.read(p, effect.from, {
          onEntry: (logSeq, data) =>
            this.step({ kind: "entry", tenure, logSeq, entry: decodeEntry(decode(data)) }),
          onError: (reason) => this.step({ kind: "reader-failed", tenure, reason }),
        });
        return;
      case "close-reader":
        this.#reader?.close();
        this.#reader = undefined;
    }
  }

  #readWatermark(claim: Epoch): void {
    const { tenure } = this.core;
    this.#then(this.#ports.archive.watermark(this.p, claim), (outcome) => ({
      kind: "watermark-read",
      tenure,
      outcome,
    }));
  }

  #readLast(withArchive: boolean): void {
    const { log, archive } = this.#ports;
    const { tenure } = this.core;
    if (!withArchive) {
      this.#then(log.last(this.p), (outcome) => ({ kind: "last", tenure, outcome }));
      return;
    }
    this.#then(Promise.all([log.last(this.p), archive.watermark(this.p, 0)]), ([outcome, read]) =>
      read.kind === "ok"
        ? { kind: "last", tenure, outcome, archived: read.value.seq }
        : { kind: "last", tenure, outcome: { kind: "unknown", reason: read.reason } },
    );
  }

  #begin({ events = 0, text }: Extract<Effect, { kind: "append" }>): Millis {
    if (events > 0) {
      this.#stats.entryEvents.observe(events);
      this.#stats.entryUnits.observe(text.length);
    }
    return this.#ports.clock.monotonic();
  }

  #end(outcome: AppendOutcome, began: Millis): void {
    this.#stats.appends.add(outcome.kind);
    this.#stats.appendSeconds.observe((this.#ports.clock.monotonic() - began) / 1_000);
  }

  #then<T>(asked: Promise<T>, toInput: (outcome: T) => Input): void {
    // Ports never reject. A rejection is unhandled on purpose, because it ends the process.
    void asked.then((outcome) => this.step(toInput(outcome)));
  }

  /** Subscribes to commands for the owner of the partition, and to commands for this epoch only. */
  #subscribe(): void {
    if (this.#commands.length > 0) return;
    const { bus } = this.#ports;
    const take = (message: BusMessage): void => this.#onCommands(message);
    this.#commands.push(bus.subscribe(subjects.commands(this.p), take, { queue: OWNER_QUEUE }));
    const { epoch } = this.core;
    if (epoch === undefined) return; // The log is full: there is no tenure, and batches get `busy`.
    this.#commands.push(bus.subscribe(subjects.commandsOf(this.p, epoch), take));
  }

  /** After the flush no further batch can arrive, and a draining owner may settle. */
  #unsubscribe(): void {
    const { tenure } = this.core;
    for (const subscription of this.#commands.splice(0)) subscription.unsubscribe();
    this.#then(this.#ports.bus.flush(), () => ({ kind: "unsubscribed", tenure }));
  }

  #onCommands(message: BusMessage): void {
    const batch = decodeCommandBatch(decode(message.data));
    if (batch === undefined) return this.#refuse("commands", message); // N5
    this.#onCommandsFrom(batch.gw);
    this.#stats.batches++;
    this.#stats.commands += batch.commands.length;
    this.#work += batch.commands.length;
    this.step({ kind: "batch", batch: this.#traces.onBatch(batch) });
  }

  #onWatermark(message: BusMessage): void {
    const watermark = decodeWatermark(decode(message.data));
    if (watermark?.p !== this.p) return this.#refuse("watermark", message); // N5
    this.step({ kind: "watermark", seq: watermark.seq });
  }

  #refuse(what: RefusedMessage, { data }: BusMessage): void {
    this.#stats.refused.add(what);
    this.#refusals.add(what, { p: this.p, size: data.length });
  }
}

type RequestEffect = Extract<
  Effect,
  {
    kind:
      | "append"
      | "read-last"
      | "read-watermark"
      | "get-entry"
      | "load-room"
      | "look-up"
      | "open-reader"
      | "close-reader";
  }
>;

const decoder = new TextDecoder();

function decode(data: Uint8Array): string {
  return decoder.decode(data);
}
