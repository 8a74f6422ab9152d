// Commands and results: what a gateway's lane and a partition's owner say to each other.
//
// `cmd.<p>` carries one CommandBatch as JSON, `gw.<gateway>` one ResultBatch and lines. This file has
// the types; command-batch.ts and results.ts have the codecs.
//
//   commands.1. `c` names a command for the life of the gateway process; a resend carries the same `c`.
//   commands.2. An owner takes batch `n` of a lane's incarnation only after n-1 of the same one; n = 1
//       begins an incarnation; an older incarnation than the newest one seen is not taken (commands.4).
//       Anything else is answered `resync` and changes nothing.
//   commands.3. Every command gets exactly one result from a given owner, or none if the owner fell.
//   commands.4. Incarnations are serial numbers: of two, the newer one is at most half the circle ahead, so
//       every number has a next one. A batch of an older incarnation is answered `resync` with the
//       newest one as `above`. A gateway that is past that incarnation ignores the answer; one that
//       is still in it learns that another sender named a newer one, and begins behind that.

import type { ErrorName } from "./errors.ts";
import type { Body } from "./events.ts";
import { LANE_INCARNATION_MAX } from "./limits.ts";
import type { Block } from "./lines.ts";
import type { Epoch, MessageId, Millis, Partition, ProcessId, RoomId, Seq, UserId } from "./ids.ts";

export const COMMAND_VERSION = 1;

export interface SendCommand {
  readonly c: number;
  readonly op: "send";
  readonly room: RoomId;
  readonly from: UserId;
  readonly id: MessageId;
  readonly body: Body;
  readonly replyTo?: Seq;
  readonly trace?: string;
  /**
   * Answer from memory alone: numbered now it would stand behind what was sent after it (O4). Set
   * on a resend when a later send of the room has been numbered already.
   */
  readonly late?: true;
}
/** The first local session of `user` joined. Answered with the head. */
export interface JoinCommand {
  readonly c: number;
  readonly op: "join";
  readonly room: RoomId;
  readonly user: UserId;
}
/** The last local session of `user` left. */
export interface LeaveCommand {
  readonly c: number;
  readonly op: "leave";
  readonly room: RoomId;
  readonly user: UserId;
}
/** The head alone, for readers that are not members of anything (HTTP). */
export interface HeadCommand {
  readonly c: number;
  readonly op: "head";
  readonly room: RoomId;
}
/** Events first…last of a room, or the part of them from `first` that the owner has at hand. */
export interface RangeCommand {
  readonly c: number;
  readonly op: "range";
  readonly room: RoomId;
  readonly first: Seq;
  readonly last: Seq;
}
/** All local members of the named rooms; replaces what this gateway announced before. */
export interface SyncCommand {
  readonly c: number;
  readonly op: "sync";
  /** [room, the last seq this gateway has, the users with a local session] */
  readonly rooms: readonly (readonly [RoomId, Seq, readonly UserId[]])[];
}

export type Command =
  | SendCommand
  | JoinCommand
  | LeaveCommand
  | HeadCommand
  | RangeCommand
  | SyncCommand;

export interface CommandBatch {
  readonly v: typeof COMMAND_VERSION;
  readonly gw: ProcessId;
  /** The lane's incarnation, from 1 to LANE_INCARNATION_MAX; the next one after every resend. */
  readonly lane: number;
  readonly n: number;
  readonly commands: readonly Command[];
}

export type Result =
  | {
      readonly c: number;
      readonly ok: "sent";
      readonly seq: Seq;
      readonly at: Millis;
      /** The id was known: this answer says nothing about sends before it (lane.7 of lane.ts). */
      readonly repeat?: true;
    }
  | {
      readonly c: number;
      readonly ok: "joined";
      readonly head: Seq;
      readonly born: string;
      readonly here: number;
      /**
       * Everybody who is here, when there are at most PRESENCE_NAMES_MAX. Of the joins of one room and
       * gateway in one step of the owner, the first alone carries the names …
       */
      readonly users?: readonly UserId[];
      /** … and the others name that first one here, by its `c`. */
      readonly listedBy?: number;
    }
  | { readonly c: number; readonly ok: "left" }
  | { readonly c: number; readonly ok: "head"; readonly head: Seq; readonly born: string }
  /** `count` may be 0: not at hand here, ask the archive. */
  | { readonly c: number; readonly ok: "range"; readonly first: Seq; readonly count: number }
  | {
      readonly c: number;
      readonly ok: "synced";
      /** [room, head, born]; rooms whose head is not loaded are left out and announced later. */
      readonly heads: readonly (readonly [RoomId, Seq, string])[];
    }
  | { readonly c: number; readonly error: ErrorName; readonly afterMs?: number };

export type RangeResult = Extract<Result, { ok: "range" }>;

export interface ResultBatch {
  readonly v: typeof COMMAND_VERSION;
  readonly p: Partition;
  readonly epoch: Epoch;
  readonly results: readonly Result[];
  /** Present instead of results: begin a new incarnation; this one was out of step. */
  readonly resync?: number;
  /** With `resync`: the owner knows this newer incarnation, so the next one must follow it (commands.4). */
  readonly above?: number;
}

export function nextIncarnation(lane: number): number {
  return (lane % LANE_INCARNATION_MAX) + 1;
}

/** commands.4. */
export function isNewerIncarnation(lane: number, than: number): boolean {
  const ahead = (lane - than + LANE_INCARNATION_MAX) % LANE_INCARNATION_MAX;
  return ahead > 0 && ahead <= LANE_INCARNATION_MAX / 2;
}

/** A `resync` of no incarnation: whatever yours is, begin a new one with `sync`. I had forgotten you. */
export const RESYNC_ALL = 0;

/** A result on its way out, with the lines of a `range` beside it. */
export interface ResultWithLines {
  readonly result: Result;
  readonly lines?: readonly string[];
}

/** A result as it came in, with the lines of a `range` as bytes. */
export interface Answer {
  readonly result: Result;
  readonly block?: Block;
}
