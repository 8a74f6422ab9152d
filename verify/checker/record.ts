// Records: what the clients of a run did and received, and what was done to the cluster. One line
// of JSON each, in the order of the events.
//
// Each program that drives a cluster under faults (end-to-end tests, drills, chaos) writes records.
// check.ts judges them, at once or later from a file. A client writes `invoke` before the bytes of
// a request leave, and its end (`ok`, `fail`, `info`) after the answer arrived. `fail`: the server
// guarantees that it did nothing. `info`: the outcome is uncertain.

import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";

interface Origin {
  /** Milliseconds, on one clock for all records of a run. */
  readonly t: number;
  readonly client: UserId;
  /** The number of the client's connection. The order is guaranteed within one connection. */
  readonly conn: number;
}
interface Of<Op extends string> extends Origin {
  readonly op: Op;
}
interface InRoom<Op extends string> extends Of<Op> {
  readonly room: RoomId;
}
interface Unanswered {
  readonly phase: "fail" | "info";
  /** The error's name, or LOST. */
  readonly err: string;
}

/** The kinds of room events, as the protocol page names them. */
export const EVENT_KINDS: ReadonlySet<string> = new Set(
  "msg edited deleted reacted pinned member invite room".split(" "),
);

/** `err` of a request that was in flight when its connection was lost. */
export const LOST = "lost";

/** The gateway `via` sent `welcome`; or the connection closed (`info`: not by the client). */
type Connected =
  | (Of<"open"> & { readonly phase: "ok"; readonly via: string })
  | (Of<"close"> & { readonly phase: "ok" | "info"; readonly err?: string });

type Sent =
  | (InRoom<"send"> & {
      readonly phase: "invoke";
      readonly id: MessageId;
      /** `sumOf` the body; optional. Only a send with it makes a unit of a fault (faults.ts). */
      readonly sum?: number;
      /** The number of events that follow the first one of this write; default 0. */
      readonly more?: number;
      /** The number of the event that this write names; optional. */
      readonly target?: Seq;
    })
  | (InRoom<"send"> & { readonly phase: "ok"; readonly id: MessageId; readonly seq: Seq })
  | (InRoom<"send"> & Unanswered & { readonly id: MessageId });

/**
 * From `ok` on the connection receives the events of the room from `from` on, until `leave` is
 * `ok`.
 */
type Joined =
  | (InRoom<"join"> & { readonly phase: "invoke"; readonly after?: Seq })
  | (InRoom<"join"> & {
      readonly phase: "ok";
      readonly from: Seq;
      readonly head?: Seq;
      readonly born?: string;
    })
  | (InRoom<"join"> & Unanswered)
  | (InRoom<"caught"> & { readonly seq: Seq })
  | (InRoom<"leave"> & { readonly phase: "invoke" | "ok" })
  | (InRoom<"leave"> & Unanswered);

type Shown =
  | (InRoom<"see"> & { readonly seq: Seq; readonly id: MessageId })
  /** A presence frame. */
  | (InRoom<"here"> & {
      readonly join?: readonly UserId[];
      readonly leave?: readonly UserId[];
      readonly here?: number;
      /** `join` names every present user. */
      readonly all?: boolean;
    });

/** A page of history for the request `ref`: `ids` are the events `first`, `first` + 1, … */
type Paged =
  | (InRoom<"page"> & { readonly phase: "invoke"; readonly ref: number })
  | (InRoom<"page"> & {
      readonly phase: "ok";
      readonly ref: number;
      readonly first: Seq;
      readonly ids: readonly MessageId[];
    })
  | (InRoom<"page"> & Unanswered & { readonly ref: number });

/** Whom a message mentions: users in the order of their ids, or everyone. */
export type Mentioned = readonly string[] | "@room";

/** A message of a page of messages; 0 and none stand for what did not happen to it. */
export interface ViewedMessage {
  readonly seq: Seq;
  /** The number of the newest edit, of the deletion, and of the event that pinned it. */
  readonly edited: Seq;
  readonly deleted: Seq;
  readonly pinned: Seq;
  readonly replies: number;
  readonly lastReply: Seq;
  /** Each emoji with its count: "👍 2". */
  readonly reactions: readonly string[];
  /** Records of older runs do not have it. */
  readonly mentions?: Mentioned;
}

/** A page of messages for the request `ref`. */
type Viewed =
  | (InRoom<"view"> & { readonly phase: "invoke"; readonly ref: number })
  | (InRoom<"view"> & {
      readonly phase: "ok";
      readonly ref: number;
      readonly thread?: Seq;
      readonly first: Seq;
      readonly last: Seq;
      readonly asOf: Seq;
      readonly messages: readonly ViewedMessage[];
    })
  | (InRoom<"view"> & Unanswered & { readonly ref: number });

/** A room of a room list. `last`: the number of its last message; 0: none. */
export interface ShownRoom {
  readonly room: RoomId;
  readonly head: Seq;
  readonly role: string;
  readonly read: Seq;
  readonly unread: number;
  readonly mentions: number;
  readonly last: Seq;
}

/** A position that the client said, and a room list for the request `ref`. */
type Listed =
  | (InRoom<"read"> & { readonly seq: Seq })
  | (Of<"list"> & { readonly phase: "invoke"; readonly ref: number })
  | (Of<"list"> & {
      readonly phase: "ok";
      readonly ref: number;
      readonly rooms: readonly ShownRoom[];
    })
  | (Of<"list"> & Unanswered & { readonly ref: number });

export type ClientRecord = Connected | Sent | Joined | Shown | Paged | Viewed | Listed;

/** The units of a fault: all rooms, some rooms, or the clients of one gateway. */
export type FaultScope =
  | { readonly kind: "all" }
  | { readonly kind: "rooms"; readonly rooms: readonly RoomId[] }
  | { readonly kind: "via"; readonly gateway: string };

interface FaultOf {
  readonly t: number;
  readonly op: "fault";
  /** The number of the fault in its run. */
  readonly n: number;
}

export type FaultRecord =
  /** The fault begins. */
  | (FaultOf & {
      readonly phase: "invoke";
      readonly fault: string;
      readonly target: string;
      readonly scope: FaultScope;
      /** Deadline of the first fresh acknowledgement of each unit, from `since`. */
      readonly backMs: number;
      readonly since: "start" | "heal";
      /** No client may get an error while the fault lasts (F22). */
      readonly isSilent?: boolean;
      /** Deadline of the first refused send (F10). */
      readonly refusalMs?: number;
      /** No partition may change its owner or its epoch while the fault lasts (F15 at 5 %). */
      readonly isSteady?: boolean;
    })
  /** The heal: the fault is over. `tenures`: new tenures since its begin. */
  | (FaultOf & { readonly phase: "ok"; readonly tenures?: number })
  /** The archive caught up with the log of the heal after `drainMs`; its deadline is `withinMs`. */
  | (FaultOf & {
      readonly phase: "info";
      readonly backlog: number;
      readonly drainMs: number;
      readonly withinMs: number;
    });

/** A webhook was subscribed before the first event, or its receiver took an event. */
export type HookRecord =
  | {
      readonly t: number;
      readonly op: "hook";
      readonly phase: "invoke";
      readonly kinds: readonly string[];
      readonly rooms: readonly RoomId[];
    }
  | {
      readonly t: number;
      readonly op: "hook";
      readonly phase: "ok";
      readonly kind: string;
      readonly room: RoomId;
      readonly seq: Seq;
      readonly id: string;
    };

export type RunRecord =
  | FaultRecord
  | HookRecord
  /** The resident memory of a process, and its bound. */
  | {
      readonly t: number;
      readonly op: "sample";
      readonly process: string;
      readonly mib: number;
      readonly mibMax: number;
    }
  /**
   * `quiet`: presence had time to be right. `end`: the run is drained. `loss`: from here on rooms
   * may have lost their last events, and then have another birth.
   */
  | { readonly t: number; readonly op: "mark"; readonly what: "quiet" | "end" | "loss" };

export type HistoryRecord = ClientRecord | RunRecord;

export function encodeRecord(record: HistoryRecord): string {
  return JSON.stringify(record);
}

/** Undefined for a line that is cut (the end of a killed client's file) or no record. */
export function decodeRecord(line: string): HistoryRecord | undefined {
  const value = parseObject(line);
  return typeof value?.["op"] === "string" ? (value as unknown as HistoryRecord) : undefined;
}
