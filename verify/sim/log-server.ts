// LogServer: the simulated JetStream server, with one stream for each partition.
//
// Owns: the entries, the fence, trimming. Does not own: the connection to it (log.ts).
//
//   log-server.1. The server stores an append only directly behind the entry that the append
//                 expects (ports/log.1).
//   log-server.2. `written` keeps every entry for the checkers, also after a trim. The product
//                 never reads it.

import type { AppendOutcome } from "#shared/ports/log.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import { firstLogSeq } from "#shared/protocol/partition-map.ts";
import type { Conditions } from "./conditions.ts";
import type { Trace } from "./trace.ts";

interface Stream {
  /** The log sequence before written[0]: 1 for an upper half, whose log begins with 2. */
  readonly base: LogSeq;
  /** The first entry that was not trimmed. */
  first: LogSeq;
  /** log-server.2. */
  readonly written: Uint8Array[];
  readonly watchers: Set<() => void>;
}

export interface LogServerOptions {
  readonly partitions: number;
  readonly conditions: Conditions;
  readonly trace: Trace;
  /** Called before each trim. */
  readonly onTrim: (p: Partition, upTo: LogSeq) => void;
  /** A partition with this many entries is full (ports/log.5); default: no limit. */
  readonly entriesMax?: number;
}

export class LogServer {
  readonly #options: LogServerOptions;
  readonly #streams: Stream[] = [];

  constructor(options: LogServerOptions) {
    this.#options = options;
    this.grow(options.partitions);
  }

  /** The number of streams. */
  get partitions(): number {
    return this.#streams.length;
  }

  /** Creates the streams of upper halves. */
  grow(partitions: number): void {
    const { partitions: created } = this.#options;
    for (let p = this.#streams.length; p < partitions; p++) {
      const first = firstLogSeq(p, created);
      this.#streams.push({ base: first - 1, first, written: [], watchers: new Set() });
    }
  }

  append(p: Partition, data: Uint8Array, expected: LogSeq): AppendOutcome {
    const stream = this.#at(p);
    const last = lastOf(stream);
    const outcome: AppendOutcome =
      expected !== last
        ? { kind: "conflict", last }
        : this.#isFull(stream)
          ? { kind: "full" }
          : { kind: "ok", seq: last + 1 };
    this.#options.trace.add(`append ${p} expects ${expected}: ${outcome.kind} at ${last}`, data);
    if (outcome.kind !== "ok") return outcome;
    stream.written.push(data);
    for (const notify of stream.watchers) notify();
    return outcome;
  }

  first(p: Partition): LogSeq {
    return this.#at(p).first;
  }

  last(p: Partition): LogSeq {
    return lastOf(this.#at(p));
  }

  get(p: Partition, seq: LogSeq): Uint8Array | undefined {
    const { first, written, base } = this.#at(p);
    return seq < first ? undefined : written[seq - 1 - base];
  }

  trim(p: Partition, upTo: LogSeq): void {
    const stream = this.#at(p);
    this.#options.trace.add(`trim ${p} up to ${upTo}`);
    this.#options.onTrim(p, upTo);
    stream.first = Math.max(stream.first, upTo + 1);
  }

  /** Calls `notify` after every append, until the returned function is called. */
  watch(p: Partition, notify: () => void): () => void {
    const { watchers } = this.#at(p);
    watchers.add(notify);
    return () => void watchers.delete(notify);
  }

  /** log-server.2. */
  written(p: Partition): { readonly base: LogSeq; readonly entries: readonly Uint8Array[] } {
    const { base, written } = this.#at(p);
    return { base, entries: written };
  }

  #isFull(stream: Stream): boolean {
    const { conditions, entriesMax = Infinity } = this.#options;
    return conditions.log.isFull || lastOf(stream) - stream.first + 1 >= entriesMax;
  }

  #at(p: Partition): Stream {
    const stream = this.#streams[p];
    if (stream === undefined) throw new Error(`there is no partition ${p}`);
    return stream;
  }
}

function lastOf({ base, written }: Stream): LogSeq {
  return base + written.length;
}
