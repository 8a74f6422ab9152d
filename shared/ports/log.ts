// PartitionLog: the durable, ordered, fenced write-ahead log of every partition.
//
// The contract (proved by shared/testing/log.contract.ts on memory and on a real NATS server):
//   ports/log.1. An append with `expected` succeeds only if the log's last sequence is `expected`; the
//         entry then has sequence expected + 1 and survives a kill of every process.
//   ports/log.2. Appends of one caller to one partition are tried in the order of their calls, and may be
//         pipelined: the second may expect what the first will make.
//   ports/log.3. `unknown` means just that: the entry may be there, may be not, may still come.
//   ports/log.4. A reader gets every entry from `from` on in order, without hole or repeat, including
//         those appended later, until it is closed. If older ones were trimmed, it begins with the
//         first that exists; the caller compares numbers.
//   ports/log.5. A full log refuses appends (`full`) and loses nothing.
//   ports/log.6. `trim` removes entries up to and including `upTo`; never the last one.
//   ports/log.7. An entry above LOG_ENTRY_BYTES_MAX is refused as `full` at once; nothing is written.

import type { LogSeq, Millis, Partition } from "../protocol/ids.ts";
import { utf8Length } from "../protocol/ids.ts";
import { BUS_PAYLOAD_BYTES_MAX } from "../protocol/limits.ts";

/** A message on the bus, less the headers of an append. Entries are a quarter of it (L2). */
export const LOG_ENTRY_BYTES_MAX = BUS_PAYLOAD_BYTES_MAX - 1_024;

/** ports/log.7. */
export function isEntryTooLarge(data: string | Uint8Array): boolean {
  if (typeof data !== "string") return data.length > LOG_ENTRY_BYTES_MAX;
  return data.length * 3 > LOG_ENTRY_BYTES_MAX && utf8Length(data) > LOG_ENTRY_BYTES_MAX;
}

export type AppendOutcome =
  | { readonly kind: "ok"; readonly seq: LogSeq }
  /** Definitely not written. `last` is what the log says its last sequence is, if it said so. */
  | { readonly kind: "conflict"; readonly last?: LogSeq }
  /** Definitely not written. */
  | { readonly kind: "full" }
  | { readonly kind: "unknown"; readonly reason: string };

export interface LogReader {
  close(): void;
}

export interface ReadOptions {
  /**
   * A reader that is at the end may hold back what comes for this long, to hand it on together:
   * for one whose entries nobody waits for. Default 0: each entry as soon as it is there.
   */
  readonly gatherMs?: number;
}

export interface ReadHandlers {
  onEntry(seq: LogSeq, data: Uint8Array): void;
  /** The reader broke beyond its own repair; it is closed, nothing follows. */
  onError(reason: string): void;
}

export type LastOutcome =
  | {
      readonly kind: "ok";
      readonly first: LogSeq;
      readonly last: LogSeq;
      readonly bytes: number;
      /** When the first entry was written, by the log's clock. */
      readonly firstAt?: Millis;
      /** What it may hold, when there is a bound. */
      readonly bytesMax?: number;
      /** False: a replica answered while nobody leads, so nothing can be appended now. */
      readonly hasLeader?: boolean;
    }
  | { readonly kind: "unknown"; readonly reason: string };

export type GetOutcome =
  | { readonly kind: "ok"; readonly data: Uint8Array }
  | { readonly kind: "gone" }
  | { readonly kind: "unknown"; readonly reason: string };

export interface PartitionLog {
  /** Resolves, never rejects; `unknown` after `timeoutMs` (default 5,000) at the latest. */
  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome>;
  /** What the stream reports; may be stale: only a conditional append proves what is last. */
  last(p: Partition): Promise<LastOutcome>;
  /** Reads from `from` on (≥ 1); entries may begin to arrive before this returns. */
  read(p: Partition, from: LogSeq, handlers: ReadHandlers, options?: ReadOptions): LogReader;
  /** One entry by its number. */
  get(p: Partition, seq: LogSeq): Promise<GetOutcome>;
  /** Guarded (ports/log.6): an integer ≥ 2, below the last sequence; anything else is refused. */
  trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }>;
}
