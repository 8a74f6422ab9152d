// Archive: the store of everything that was ever committed, behind persistence.
//
// Two faces. ArchiveStore is what persistence drives (PostgreSQL, or memory in the simulation).
// ArchiveReader is what room nodes and gateways see, over the bus.
//
// The contract (proved by shared/testing/archive.contract.ts on memory and on PostgreSQL):
//   archive.1. `write` moves the watermark from `from` to `to` and stores the events in one transaction,
//         or does nothing at all and says `moved` (another worker was faster).
//   archive.2. Writing the same events again changes nothing.
//   archive.3. Reads see whole writes only: an event is there iff its entry ≤ the watermark they carry.
//   archive.4. An event that the store refuses for what it is goes to quarantine with the reason; the
//         rest of the batch is written (`quarantined` counts it). Its number stays taken: heads
//         count it, and `range`, `snapshot` and `lookup` still know its line.
//   archive.5. A watermark that was told to an owner for its claim says so for ever: `isSettled` is true only
//         if a release stands at the watermark and no claim behind it was told of it.

import type {
  Epoch,
  LogSeq,
  MessageId,
  Millis,
  Partition,
  RoomId,
  Seq,
  UserId,
} from "../protocol/ids.ts";
import type { ArchivedRange, RoomSnapshot } from "../protocol/history.ts";

/**
 * How far a partition is archived, and the epoch in force there. The epoch is stored with the
 * watermark because a reader that begins behind it must know which commits are void (P15 in
 * protocol/entry.ts); the archiver skips void commits and moves the watermark over them.
 */
export interface Watermark {
  readonly seq: LogSeq;
  readonly epoch: Epoch;
  /** Nobody can have written behind it (archive.5). */
  readonly isSettled?: boolean;
}

/** The own-entry's number; 0: about to claim; `unknown`: an owner of a version that does not say. */
export type Claim = LogSeq | "unknown";

/** One event as the archive stores it: the line itself, and the keys that were read from it. */
export interface ArchiveEvent {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly kind: string;
  readonly id: MessageId;
  readonly sender: UserId;
  readonly at: Millis;
  readonly line: string;
}

/** Text of the log that nobody could read; it goes to quarantine with its batch (archive.4). */
export interface UnreadText {
  readonly entry: LogSeq;
  /** Present when the text says which event it is. */
  readonly place?: { readonly room: RoomId; readonly seq: Seq };
  readonly text: string;
  readonly reason: string;
}

export interface ArchiveBatch {
  readonly p: Partition;
  /** The watermark before … */
  readonly from: LogSeq;
  /** … and after. */
  readonly to: LogSeq;
  /** The epoch in force behind `to`. */
  readonly epoch: Epoch;
  readonly events: readonly ArchiveEvent[];
  readonly unread?: readonly UnreadText[];
  /** The entry at `to` is the release of the tenure in force there. */
  readonly isReleased?: boolean;
  /** Contexts of the traced messages in it; no store keeps them. */
  readonly traces?: readonly string[];
}

export type WriteOutcome =
  | { readonly kind: "ok"; readonly quarantined: number }
  | { readonly kind: "moved" }
  | { readonly kind: "unavailable"; readonly reason: string };

export type Read<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "unavailable"; readonly reason: string };

export interface Found {
  readonly seq: Seq;
  readonly at: Millis;
}

export interface ArchiveStore {
  /** All methods resolve, never reject. */
  write(batch: ArchiveBatch): Promise<WriteOutcome>;
  /** 0 and epoch 0 for a partition that was never written. `claim`: who asks will serve behind it (archive.5). */
  watermark(p: Partition, claim?: Claim): Promise<Read<Watermark>>;
  /** The lines first…last that exist, contiguous from `first`, within the RANGE bounds. */
  range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>>;
  /** Ids whose own time is ≥ `since`, at most SNAPSHOT_IDS_MAX (then `floor` is higher: H3). */
  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>>;
  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
  ): Promise<Read<{ readonly found?: Found; readonly watermark: LogSeq }>>;
  close(): Promise<void>;
}

/** The same reads, asked over the bus. All resolve, never reject. */
export interface ArchiveReader {
  watermark(p: Partition, claim: LogSeq): Promise<Read<Watermark>>;
  range(p: Partition, room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>>;
  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>>;
  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
  ): Promise<Read<{ readonly found?: Found; readonly watermark: LogSeq }>>;
}

/** Ids in one snapshot, but for those from the future. */
export const SNAPSHOT_IDS_MAX = 5_000;
/** Ids from the future in one snapshot; when there are more, none of them, and `floors` (H3). */
export const SNAPSHOT_AHEAD_IDS_MAX = 1_000;
/** Senders in `floors`; when there are more, `floor` is that of the rest. */
export const SNAPSHOT_FLOORS_MAX = 1_000;
/** Lines and bytes of a snapshot's tail. */
export const SNAPSHOT_TAIL_EVENTS = 50;
export const SNAPSHOT_TAIL_BYTES_MAX = 64 * 1024;
