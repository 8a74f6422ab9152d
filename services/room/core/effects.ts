// Effects and inputs of a partition: everything that passes between its core and the world.
//
// The shell performs effects in order and hands back what came of them. Whatever is asked on
// behalf of one tenure carries its number, so that an answer that comes too late is recognised.

import type { CommandBatch, ResultWithLines } from "#shared/protocol/commands.ts";
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
import type { Found, Read, Watermark } from "#shared/ports/archive.ts";
import type { AppendOutcome, LastOutcome } from "#shared/ports/log.ts";

export type Effect =
  /** Append `text`; answer with `appended` and the same n. n = 0 is a claim or a release. */
  | {
      readonly kind: "append";
      readonly n: number;
      readonly text: string;
      readonly expected: LogSeq;
      /** Events in it; none for a claim or a release. */
      readonly events?: number;
      /** Contexts of the traced messages in it. */
      readonly traces?: readonly string[] | undefined;
    }
  /** `withArchive`: and ask the archive where it stands; without its answer the outcome is unknown. */
  | { readonly kind: "read-last"; readonly withArchive?: boolean }
  /** For the tenure that begins with `claim`. */
  | { readonly kind: "read-watermark"; readonly claim: Epoch }
  | { readonly kind: "open-reader"; readonly from: LogSeq }
  | { readonly kind: "close-reader" }
  /** Read one entry; answer with `got` and the same purpose. */
  | { readonly kind: "get-entry"; readonly logSeq: LogSeq }
  | { readonly kind: "load-room"; readonly room: RoomId; readonly since: Millis }
  | {
      readonly kind: "look-up";
      readonly room: RoomId;
      readonly from: UserId;
      readonly id: MessageId;
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
      /** The newest incarnation known, when `lane` is an older one (commands.4 of commands.ts). */
      readonly above?: number;
    }
  | {
      readonly kind: "broadcast";
      readonly room: RoomId;
      readonly first: Seq;
      readonly lines: readonly string[];
      readonly traces?: readonly string[];
    }
  /** `born`: when the room is loaded, which is when its birth is known. */
  | {
      readonly kind: "repeat-head";
      readonly room: RoomId;
      readonly head: Seq;
      readonly born?: string | undefined;
    }
  | { readonly kind: "announce"; readonly frame: PresenceFrame }
  /** Ask for a `flush` input after this turn. */
  | { readonly kind: "flush-soon" }
  /** The state that peers see in beats changed. */
  | { readonly kind: "changed" }
  | { readonly kind: "log"; readonly event: string; readonly detail?: object };

export type Input =
  | { readonly kind: "claim" }
  | { readonly kind: "drain" }
  /** A peer says that it serves this partition under `epoch`. */
  | { readonly kind: "superseded"; readonly epoch: Epoch; readonly by: ProcessId }
  /** The bus is back after `awayMs`; what was published shortly before is lost as well. */
  | { readonly kind: "reconnected"; readonly awayMs: Millis }
  | { readonly kind: "batch"; readonly batch: CommandBatch }
  | { readonly kind: "flush" }
  | { readonly kind: "tick" }
  | { readonly kind: "watermark"; readonly seq: LogSeq }
  | { readonly kind: "gateway-gone"; readonly gateway: ProcessId }
  /** Heard for the first time, or again after it was taken for gone. */
  | { readonly kind: "gateway-back"; readonly gateway: ProcessId }
  | { readonly kind: "unsubscribed"; readonly tenure: number }
  | {
      readonly kind: "last";
      readonly tenure: number;
      readonly outcome: LastOutcome;
      /** Up to which entry the archive has everything, when it was asked. */
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
  | { readonly kind: "reader-broke"; readonly tenure: number; readonly reason: string }
  | {
      readonly kind: "entry-read";
      readonly tenure: number;
      readonly logSeq: LogSeq;
      /** Undefined: it could not be read. */
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
      readonly outcome: Read<{ readonly found?: Found; readonly watermark: LogSeq }>;
    };

/** How far the wall clock is ahead of the monotonic `now`. The partition updates it in each step. */
export interface WallOffset {
  aheadMs: Millis;
}
