// Log server: JetStream of a simulated world: the streams, and all that was ever in them.
//
// Owns: entries, the fence, what a trim removes. Does not own: the way to it (log.ts).
//
//   log-server.1. An append is stored only as the next entry after the one it expects (ports/log.1).
//   log-server.2. `written` keeps every entry for the checkers, trimmed or not. Nothing in the product reads it.

import type { AppendOutcome } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import type { Trace } from "./trace.ts";
import type { Weather } from "./conditions.ts";

interface Stream {
  /** The first entry that is still there. */
  first: LogSeq;
  /** written[0] is entry 1 (log-server.2). */
  readonly written: Uint8Array[];
  readonly watchers: Set<() => void>;
}

export class LogServer {
  readonly #weather: Weather;
  readonly #trace: Trace;
  readonly #onTrim: (p: Partition, upTo: LogSeq) => void;
  readonly #streams: readonly Stream[];

  constructor(options: {
    readonly partitions: number;
    readonly weather: Weather;
    readonly trace: Trace;
    readonly onTrim: (p: Partition, upTo: LogSeq) => void;
  }) {
    this.#weather = options.weather;
    this.#trace = options.trace;
    this.#onTrim = options.onTrim;
    this.#streams = Array.from({ length: options.partitions }, () => ({
      first: 1,
      written: [],
      watchers: new Set(),
    }));
  }

  append(p: Partition, data: Uint8Array, expected: LogSeq): AppendOutcome {
    const stream = this.#at(p);
    const last = stream.written.length;
    const outcome: AppendOutcome =
      expected !== last
        ? { kind: "conflict", last }
        : this.#weather.log.isFull
          ? { kind: "full" }
          : { kind: "ok", seq: last + 1 };
    this.#trace.add(`append ${p} expects ${expected}: ${outcome.kind} at ${last}`, data);
    if (outcome.kind !== "ok") return outcome;
    stream.written.push(data);
    for (const tell of stream.watchers) tell();
    return outcome;
  }

  first(p: Partition): LogSeq {
    return this.#at(p).first;
  }

  last(p: Partition): LogSeq {
    return this.#at(p).written.length;
  }

  get(p: Partition, seq: LogSeq): Uint8Array | undefined {
    const { first, written } = this.#at(p);
    return seq < first ? undefined : written[seq - 1];
  }

  trim(p: Partition, upTo: LogSeq): void {
    const stream = this.#at(p);
    this.#trace.add(`trim ${p} up to ${upTo}`);
    this.#onTrim(p, upTo);
    stream.first = Math.max(stream.first, upTo + 1);
  }

  /** Calls `tell` after every append, until the returned function is called. */
  watch(p: Partition, tell: () => void): () => void {
    const { watchers } = this.#at(p);
    watchers.add(tell);
    return () => void watchers.delete(tell);
  }

  /** log-server.2. */
  written(p: Partition): readonly Uint8Array[] {
    return this.#at(p).written;
  }

  #at(p: Partition): Stream {
    const stream = this.#streams[p];
    if (stream === undefined) throw new Error(`there is no partition ${p}`);
    return stream;
  }
}
