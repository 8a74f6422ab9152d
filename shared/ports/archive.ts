// Archive: the store of every committed event. Persistence owns it.
//
// It has two interfaces. Persistence uses ArchiveStore (PostgreSQL, or memory in the simulation).
// Room nodes and gateways use ArchiveReader, over the bus.
//
// The contract (shared/testing/archive.contract.ts proves it on memory and on PostgreSQL):
//   archive.1. `write` moves the watermark from `from` to `to` and stores the events in one
//        transaction, or does nothing and returns `moved` (another archive runner was faster).
//   archive.2. Writing the same events again changes nothing.
//   archive.3. Reads see whole writes only: an event is present iff its entry ≤ the watermark that
//        the read returns.
//   archive.4. An event that the store refuses for its content goes to quarantine with the reason;
//        the rest of the batch is written (`quarantined` counts it). Its number stays taken: heads
//        count it, and `range`, `snapshot` and `lookup` return its line.
//   archive.5. Settled is final. `isSettled` is true only if a release stands at the watermark and
//        no owner was given this watermark for a later claim.
//   archive.6. A write with a split to `of` stores `of` with the watermark, and creates the
//        watermark of the upper half p + of/2 in the same transaction: log sequence 1, settled. So
//        a read of a room that returns a watermark of at least 1 of the upper half sees every event
//        of `p` before the split. A repeated split changes nothing.
//   archive.7. The state of a snapshot is the fold of the room's events up to its head, also of
//        events in quarantine. It moves with the watermark, and a batch that is written twice
//        changes nothing of it. A state with more members than fit is cut, and `members` has the
//        rest.
//   archive.8. The transaction of a batch folds its changes of messages (message-fold.ts).
//        `messages` shows every event of the room up to the head that it returns.
//   archive.9. A deletion erases in its transaction: the lines of the message and of its edits,
//        also in quarantine, become tombstones. A line that arrives again does not bring the text
//        back.

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
import type {
  ArchivedRange,
  ArchivedTarget,
  MembersPage,
  MessagesPage,
  MessagesQuery,
  RoomSnapshot,
} from "../protocol/history.ts";

/**
 * The log sequence up to which a partition is archived, and the epoch in force there. The epoch is
 * stored with the watermark because a reader that begins behind it must know which commits are void
 * (P15 in protocol/entry.ts). The archiver skips void commits and moves the watermark over them.
 */
export interface Watermark {
  readonly seq: LogSeq;
  readonly epoch: Epoch;
  /** No owner can have written behind it (archive.5). */
  readonly isSettled?: boolean;
  /** The `of` behind it (archive.6). Undefined: the archive has no split of this partition. */
  readonly of?: number;
}

/**
 * The log sequence of the claim; 0: the owner is about to claim; `unknown`: an owner of a version
 * that does not send it.
 */
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

/** Text of the log that could not be decoded; it goes to quarantine with its batch (archive.4). */
export interface UnreadText {
  readonly entry: LogSeq;
  /** Present when the text names its event. */
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
  /** The entry at `to` ends the tenure in force there: a release or a split. */
  readonly isReleased?: boolean;
  /** The `of` of each split in it, in order (archive.6). */
  readonly splits?: readonly number[];
  /** Trace contexts of the traced messages in it; stores do not keep them. */
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

/** The answer of a look-up: the number of the id, and the target, as far as they are archived. */
export interface LookedUp {
  readonly found?: Found;
  /** Undefined only when no target was asked for, or by a process of an older version. */
  readonly target?: ArchivedTarget;
  readonly watermark: LogSeq;
}

export interface ArchiveStore {
  /** All methods resolve, never reject. */
  write(batch: ArchiveBatch): Promise<WriteOutcome>;
  /**
   * 0 and epoch 0 for a partition without writes. `claim`: the caller will serve behind this
   * watermark (archive.5).
   */
  watermark(p: Partition, claim?: Claim): Promise<Read<Watermark>>;
  /** The lines first…last that exist, contiguous from `first`, within the RANGE bounds. */
  range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>>;
  /**
   * Ids whose own time is ≥ `since`; beyond SNAPSHOT_IDS_MAX `floor` is higher (archived-ids.2).
   */
  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>>;
  /** Messages as they are now (archive.8). */
  messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>>;
  /** The stored members behind `after`, for a snapshot that is cut (archive.7). */
  members(room: RoomId, after: UserId): Promise<Read<MembersPage>>;
  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>>;
  close(): Promise<void>;
}

/** The same reads, over the bus. All resolve, never reject. */
export interface ArchiveReader {
  watermark(p: Partition, claim: LogSeq): Promise<Read<Watermark>>;
  range(p: Partition, room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>>;
  snapshot(p: Partition, room: RoomId, since: Millis): Promise<Read<RoomSnapshot>>;
  messages(p: Partition, room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>>;
  lookup(
    p: Partition,
    room: RoomId,
    sender: UserId,
    id: MessageId,
    target?: Seq,
  ): Promise<Read<LookedUp>>;
}

/** Ids in one snapshot, without those from the future. */
export const SNAPSHOT_IDS_MAX = 5_000;
/**
 * Ids from the future in one snapshot. When there are more, it carries none of them, but `floors`
 * (archived-ids.3).
 */
export const SNAPSHOT_AHEAD_IDS_MAX = 1_000;
/** Senders in `floors`; when there are more, `floor` applies to the rest. */
export const SNAPSHOT_FLOORS_MAX = 1_000;
/** Lines and bytes of a snapshot's tail. */
export const SNAPSHOT_TAIL_EVENTS = 50;
export const SNAPSHOT_TAIL_BYTES_MAX = 64 * 1024;
