// PartitionLog: the durable, ordered, fenced write-ahead log of every partition.
//
// The contract (shared/testing/log.contract.ts proves it on memory and on a real NATS server):
//   ports/log.1. An append with `expected` succeeds only if the log's last sequence is `expected`.
//        The entry then has the sequence expected + 1 and survives a kill of every process.
//   ports/log.2. Appends of one caller to one partition are tried in the order of their calls, and
//        may be pipelined: the second may expect the sequence that the first will create.
//   ports/log.3. After `unknown` the entry may be present, may be absent, or may still arrive.
//   ports/log.4. A reader gets every entry from `from` on in order, without gap or repeat,
//        including entries appended later, until it is closed. If older entries were trimmed, it
//        begins with the first that exists; the caller compares the sequences.
//   ports/log.5. A full log refuses appends (`full`) and loses nothing.
//   ports/log.6. `trim` removes entries up to and including `upTo`, and never the last one.
//   ports/log.7. An entry above LOG_ENTRY_BYTES_MAX is refused as `full` at once; nothing is
//        written.

import type { LogSeq, Millis, Partition } from "../protocol/ids.ts";
import { utf8Length } from "../protocol/ids.ts";
import { BUS_PAYLOAD_BYTES_MAX } from "../protocol/limits.ts";

/**
 * The largest entry in bytes: a bus message minus the headers of an append. Owners end an entry
 * at a quarter of it (ENTRY_BYTES_MAX).
 */
export const LOG_ENTRY_BYTES_MAX = BUS_PAYLOAD_BYTES_MAX - 1_024;

/** ports/log.7. */
export function isEntryTooLarge(data: string | Uint8Array): boolean {
  if (typeof data !== "string") return data.length > LOG_ENTRY_BYTES_MAX;
  return data.length * 3 > LOG_ENTRY_BYTES_MAX && utf8Length(data) > LOG_ENTRY_BYTES_MAX;
}

export type AppendOutcome =
  | { readonly kind: "ok"; readonly seq: LogSeq }
  /** Not written, with certainty. `last`: the last sequence that the log reported, if it did. */
  | { readonly kind: "conflict"; readonly last?: LogSeq }
  /** Not written, with certainty. */
  | { readonly kind: "full" }
  | { readonly kind: "unknown"; readonly reason: string };

export interface LogReader {
  close(): void;
}

export interface ReadOptions {
  /**
   * For how many ms a reader at the end of the log may delay entries, to deliver them together. For
   * a reader whose entries do not delay a client. Default 0: each entry as soon as it arrives.
   */
  readonly gatherMs?: number;
}

export interface ReadHandlers {
  onEntry(seq: LogSeq, data: Uint8Array): void;
  /** The reader failed and cannot recover; it is closed and delivers nothing more. */
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
      /** The maximum size, when there is one. */
      readonly bytesMax?: number;
      /**
       * False: a replica answered while the stream has no leader, so appends are not possible now.
       */
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
  /**
   * The last sequence that the stream reports. It may be stale: only a conditional append proves
   * it.
   */
  last(p: Partition): Promise<LastOutcome>;
  /** Reads from `from` on (≥ 1); entries may begin to arrive before this returns. */
  read(p: Partition, from: LogSeq, handlers: ReadHandlers, options?: ReadOptions): LogReader;
  /** One entry by its log sequence. */
  get(p: Partition, seq: LogSeq): Promise<GetOutcome>;
  /**
   * Guarded (ports/log.6): `upTo` is an integer ≥ 2, below the last sequence; anything else is
   * refused.
   */
  trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }>;
}
