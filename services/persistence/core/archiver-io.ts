// Archiving: the words that the archiver and its shell exchange, and the bounds it works within.

import type { BackoffOptions } from "#shared/kit/backoff.ts";
import type { ArchiveBatch, Read, Watermark, WriteOutcome } from "#shared/ports/archive.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import type { LogSeq } from "#shared/protocol/ids.ts";
import type { BacklogBounds, BatchBounds } from "./backlog.ts";

export interface ArchiverOptions {
  readonly batch: BatchBounds;
  readonly backlog: BacklogBounds;
  /** How long the first entry of a batch that is not full waits for company. */
  readonly lingerMs: number;
  readonly retry: BackoffOptions;
  /** The mark is repeated that often, for a mark may be lost; trimming is considered then too. */
  readonly tickMs: number;
  /** Archived entries that stay in the log. */
  readonly keepEntries: number;
  readonly keepShare: number;
  readonly trimEveryMs: number;
}

/**
 * 2,000 lines of a chat are half a megabyte; larger batches gain nothing (measured). An entry is at
 * most 256 KiB, so a batch always holds one. 16 partitions × 4 MiB of backlog are the worst case of
 * a single process in the embedded cluster.
 * A transaction costs 3 ms of CPU however small it is, and nobody waits for one: what is above the
 * watermark is answered by the owner. So a quiet partition is archived four times a second.
 */
export const LIMITS: Omit<ArchiverOptions, "keepEntries" | "keepShare"> = {
  batch: { linesMax: 2_000, bytesMax: 2 * 1024 * 1024 },
  backlog: { linesMax: 10_000, bytesMax: 4 * 1024 * 1024 },
  lingerMs: 250,
  retry: { baseMs: 200, capMs: 5_000 },
  tickMs: 5_000,
  trimEveryMs: 15_000,
};

export type TimerName = "rest" | "retry" | "linger" | "tick";

export type ArchiverInput =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  | { readonly kind: "watermark"; readonly read: Read<Watermark> }
  | {
      readonly kind: "entry";
      readonly reader: number;
      readonly seq: LogSeq;
      readonly text: string;
      readonly bytes: number;
      /** Why `text` is not what stands in the log, if it is not (bytes that are no UTF-8). */
      readonly broken?: string;
    }
  | { readonly kind: "reader-failed"; readonly reader: number; readonly reason: string }
  | { readonly kind: "written"; readonly outcome: WriteOutcome }
  | { readonly kind: "log"; readonly outcome: LastOutcome }
  | { readonly kind: "timer"; readonly name: TimerName };

export type ArchiverReport =
  | { readonly kind: "loaded"; readonly watermark: LogSeq }
  | {
      readonly kind: "wrote";
      readonly watermark: LogSeq;
      readonly events: number;
      readonly quarantined: number;
      readonly waiting: number;
    }
  | { readonly kind: "unread"; readonly entry: LogSeq; readonly reason: string }
  | { readonly kind: "void"; readonly entry: LogSeq }
  | { readonly kind: "moved"; readonly watermark: LogSeq }
  | { readonly kind: "unavailable"; readonly what: "watermark" | "write"; readonly reason: string }
  | { readonly kind: "reader-failed"; readonly reason: string }
  /** `lost`: seen twice at one watermark, so no other worker explains it (archiver.3). */
  | {
      readonly kind: "hole";
      readonly watermark: LogSeq;
      readonly found: LogSeq;
      readonly lost: boolean;
    };

export type ArchiverEffect =
  | { readonly kind: "read-watermark" }
  | { readonly kind: "open-reader"; readonly reader: number; readonly from: LogSeq }
  | { readonly kind: "close-reader"; readonly reader: number }
  | { readonly kind: "write"; readonly batch: ArchiveBatch }
  | { readonly kind: "publish-mark"; readonly seq: LogSeq }
  /** A timer of the same name that still runs is replaced. */
  | { readonly kind: "arm-timer"; readonly name: TimerName; readonly afterMs: number }
  /** How much the log holds; answered by `log`. */
  | { readonly kind: "look-at-log" }
  | { readonly kind: "trim"; readonly upTo: LogSeq }
  | { readonly kind: "report"; readonly report: ArchiverReport }
  | { readonly kind: "stopped" };
