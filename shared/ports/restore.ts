// Restore: what is known about the end of the archive, and the range of a log that is declared
// lost.
//
// `parley restore logs` and the promotion of a region use the same transaction
// (shared/adapters/postgres-restore.ts).

import type { LogSeq, Partition, RoomId } from "../protocol/ids.ts";

/** An entry is larger than 100 bytes, so a log with this many entries would hold 100 GB. */
export const LOST_ENTRIES_MAX = 1_000_000_000;

export interface ArchiveEnd {
  readonly p: Partition;
  readonly seq: LogSeq;
  /** No owner can have written behind it (archive.5), or nothing was ever written. */
  readonly isSettled: boolean;
}

export interface LostRange {
  readonly p: Partition;
  readonly from: LogSeq;
  /** The new watermark: far above any sequence that the lost log can have assigned. */
  readonly to: LogSeq;
  /** The rooms to recreate; default: all rooms of the partition. */
  readonly rooms?: ReadonlySet<RoomId>;
}
