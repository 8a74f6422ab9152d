// Partition I/O: the inputs and effects of a partition.
//
// They are the interface between the core and its runner (runtime/partition-runner.ts), which
// performs effects in order and returns each outcome as an input. A request on behalf of a tenure
// carries the number of the tenure, so the core recognises an answer for an older one.

import type { CommandBatch } from "#shared/protocol/commands.ts";
import type { ResultWithLines } from "#shared/protocol/results.ts";
import type { DecodedEntry } from "#shared/protocol/entry.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type {
  Epoch,
  LogSeq,
  MessageId,
  Millis,
  ProcessId,
  RoomId,
  Seq,
  UserId,
} from "#shared/protocol/ids.ts";
import type { PresenceFrame } from "#shared/protocol/server-frames.ts";
import type { UserNote } from "./notes.ts";
import type { LookedUp, Read, Watermark } from "#shared/ports/archive.ts";
import type { AppendOutcome, LastOutcome } from "#shared/ports/log.ts";

export type Effect =
  /**
   * Appends `text`. The input `appended` with the same n is the answer. n = 0 is a claim or a
   * release.
   */
  | {
      readonly kind: "append";
      readonly n: number;
      readonly text: string;
      readonly expected: LogSeq;
      /** The number of events in it; none for a claim or a release. */
      readonly events?: number;
      /** Trace contexts of its traced messages. */
      readonly traces?: readonly string[] | undefined;
    }
  /**
   * Reads the last sequence of the log. `withArchive`: also the archive's watermark; if that read
   * fails, the outcome is `unknown`.
   */
  | { readonly kind: "read-last"; readonly withArchive?: boolean }
  /** Reads the archive's watermark for the tenure that begins with `claim`. */
  | { readonly kind: "read-watermark"; readonly claim: Epoch }
  | { readonly kind: "open-reader"; readonly from: LogSeq }
  | { readonly kind: "close-reader" }
  /** Reads one entry. The input `entry-read` with the same sequence is the answer. */
  | { readonly kind: "get-entry"; readonly logSeq: LogSeq }
  | { readonly kind: "load-room"; readonly room: RoomId; readonly since: Millis }
  | {
      readonly kind: "look-up";
      readonly room: RoomId;
      readonly from: UserId;
      readonly id: MessageId;
      /** The message that the write names. */
      readonly target?: Seq | undefined;
    }
  | { readonly kind: "subscribe" }
  | { readonly kind: "unsubscribe" }
  | {
      readonly kind: "reply";
      readonly gateway: ProcessId;
      readonly epoch: Epoch;
      readonly results: readonly ResultWithLines[];
    }
  | {
      readonly kind: "resync";
      readonly gateway: ProcessId;
      readonly epoch: Epoch;
      readonly lane: number;
      /**
       * The newest incarnation that the owner knows, when `lane` is an older one (commands.4 of
       * commands.ts).
       */
      readonly above?: number;
      /** The batch was for another partition. This one serves by `of`. */
      readonly of?: number;
    }
  | {
      readonly kind: "broadcast";
      readonly room: RoomId;
      readonly first: Seq;
      readonly lines: readonly string[];
      readonly traces?: readonly string[];
    }
  /** `born`: set when the room is loaded, because only then its birth is known. */
  | {
      readonly kind: "repeat-head";
      readonly room: RoomId;
      readonly head: Seq;
      readonly born?: string | undefined;
    }
  | { readonly kind: "note"; readonly note: UserNote }
  | { readonly kind: "announce"; readonly frame: PresenceFrame }
  /** Requests an input `flush` after the current turn of the event loop. */
  | { readonly kind: "flush-soon" }
  /** The state that beats report has changed. */
  | { readonly kind: "changed" }
  | { readonly kind: "log"; readonly event: string; readonly detail?: object };

export type Input =
  | { readonly kind: "claim" }
  | { readonly kind: "drain" }
  /** Doubles the `of` of the partition, if the archive is close enough (P28). */
  | { readonly kind: "split" }
  /** A beat of a peer reports that the peer serves this partition with `epoch`. */
  | { readonly kind: "superseded"; readonly epoch: Epoch; readonly by: ProcessId }
  /**
   * The bus is connected again after `awayMs`. Messages published shortly before the disconnect are
   * lost too.
   */
  | { readonly kind: "reconnected"; readonly awayMs: Millis }
  /** This process did not run for a time in which peers may have declared it dead (P32). */
  | { readonly kind: "lapsed" }
  | { readonly kind: "batch"; readonly batch: CommandBatch }
  | { readonly kind: "flush" }
  | { readonly kind: "tick" }
  | { readonly kind: "watermark"; readonly seq: LogSeq }
  | { readonly kind: "gateway-gone"; readonly gateway: ProcessId }
  /** The first beat or command of a gateway, or the first one after its timeout. */
  | { readonly kind: "gateway-back"; readonly gateway: ProcessId }
  | { readonly kind: "unsubscribed"; readonly tenure: number }
  | {
      readonly kind: "last";
      readonly tenure: number;
      readonly outcome: LastOutcome;
      /** The archive's watermark at the time of the read. */
      readonly archived?: LogSeq;
    }
  | {
      readonly kind: "appended";
      readonly tenure: number;
      readonly n: number;
      readonly outcome: AppendOutcome;
    }
  | { readonly kind: "watermark-read"; readonly tenure: number; readonly outcome: Read<Watermark> }
  | {
      readonly kind: "entry";
      readonly tenure: number;
      readonly logSeq: LogSeq;
      readonly entry: DecodedEntry;
    }
  | { readonly kind: "reader-failed"; readonly tenure: number; readonly reason: string }
  | {
      readonly kind: "entry-read";
      readonly tenure: number;
      readonly logSeq: LogSeq;
      /** Undefined when the entry could not be read. */
      readonly entry: DecodedEntry | undefined;
    }
  | {
      readonly kind: "room-loaded";
      readonly tenure: number;
      readonly room: RoomId;
      readonly outcome: Read<RoomSnapshot>;
    }
  | {
      readonly kind: "looked-up";
      readonly tenure: number;
      readonly room: RoomId;
      readonly from: UserId;
      readonly id: MessageId;
      readonly target?: Seq | undefined;
      readonly outcome: Read<LookedUp>;
    };

/**
 * How far the wall clock is ahead of the monotonic `now`. The partition updates it in each step.
 */
export interface WallOffset {
  aheadMs: Millis;
}
