// Archiver I/O: the inputs, effects and reports of the archiver, and its bounds.

import type { BackoffOptions } from "#shared/kit/backoff.ts";
import type { ArchiveBatch, Read, Watermark, WriteOutcome } from "#shared/ports/archive.ts";
import type { LastOutcome } from "#shared/ports/log.ts";
import type { LogSeq, Millis, Partition } from "#shared/protocol/ids.ts";
import type { BacklogBounds, BatchBounds } from "./backlog.ts";

export interface ArchiverOptions {
  readonly batch: BatchBounds;
  readonly backlog: BacklogBounds;
  /** How long the first entry of a batch that is not full waits for more. */
  readonly lingerMs: number;
  readonly retry: BackoffOptions;
  /**
   * The watermark is published again at this interval, since a message may be lost. Trimming is
   * considered then too.
   */
  readonly tickMs: number;
  /** Archived entries that always stay in the log. */
  readonly keepEntries: number;
  readonly keepShare: number;
  readonly trimEveryMs: number;
  /** Archived entries that are older do not stay in the log (trim.4). */
  readonly keepMs?: number | undefined;
  /** The log sequence of the first entry; default 1. An upper half begins with 2 (archiver.8). */
  readonly firstSeq?: LogSeq;
}

/**
 * 2,000 lines of a chat are half a megabyte; larger batches gain nothing (measured). An entry is at
 * most 256 KiB, so a batch always holds one. The worst case of one process in the embedded cluster
 * is 16 partitions × 4 MiB of backlog.
 * A transaction costs 3 ms of CPU, however small it is, and no client waits for it: the owner
 * answers requests above the watermark. So a quiet partition is archived four times a second.
 */
export const LIMITS: Omit<ArchiverOptions, "keepEntries" | "keepShare"> = {
  batch: { linesMax: 2_000, bytesMax: 2 * 1024 * 1024 },
  backlog: { linesMax: 10_000, bytesMax: 4 * 1024 * 1024 },
  lingerMs: 250,
  retry: { baseMs: 200, capMs: 5_000 },
  tickMs: 5_000,
  trimEveryMs: 15_000,
};

export type TimerName = "reload" | "retry" | "linger";

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
      /** Present when `text` differs from the bytes in the log (they are not UTF-8): the reason. */
      readonly broken?: string;
    }
  | { readonly kind: "reader-failed"; readonly reader: number; readonly reason: string }
  | { readonly kind: "written"; readonly outcome: WriteOutcome }
  /** `wall`: the time by the wall clock, which the log's times are compared with. */
  | { readonly kind: "log"; readonly outcome: LastOutcome; readonly wall?: Millis }
  | { readonly kind: "timer"; readonly name: TimerName }
  /** Each `tickMs` of the options, from the start to the end. */
  | { readonly kind: "tick" };

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
  /** archiver.7. */
  | { readonly kind: "newer"; readonly entry: LogSeq }
  | { readonly kind: "void"; readonly entry: LogSeq }
  | { readonly kind: "moved"; readonly watermark: LogSeq }
  | { readonly kind: "unavailable"; readonly what: "watermark" | "write"; readonly reason: string }
  | { readonly kind: "reader-failed"; readonly reason: string }
  /** `lost`: seen twice at one watermark, so another runner does not explain it (archiver.3). */
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
  /** `p`: another partition than the archiver's own. */
  | { readonly kind: "publish-watermark"; readonly seq: LogSeq; readonly p?: Partition }
  /** Replaces a running timer of the same name. */
  | { readonly kind: "arm-timer"; readonly name: TimerName; readonly afterMs: number }
  /** Requests the size of the log; the input `log` answers. */
  | { readonly kind: "read-log-size" }
  | { readonly kind: "trim"; readonly upTo: LogSeq }
  | { readonly kind: "report"; readonly report: ArchiverReport }
  | { readonly kind: "stopped" };
