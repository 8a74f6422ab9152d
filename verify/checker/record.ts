// Records: what clients did and saw, and what was done to the cluster, one line of JSON each, in
// the order in which it happened.
//
// Whoever drives a cluster under faults (end-to-end tests, chaos, soak) writes these; check.ts
// judges them later, also from a file of another day. A client writes `invoke` before the bytes
// leave and its end (`ok`, `fail`, `info`) after they came back, so what lies between is everything
// that may have happened. `fail`: the server said that nothing was done. `info`: nobody knows.

import { parseObject } from "#shared/kit/json.ts";
import type { MessageId, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";

interface Origin {
  /** Milliseconds, on one clock for all records of a run. */
  readonly t: number;
  readonly client: UserId;
  /** Counts the connections of a client: order is promised within one. */
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

/** `err` of what a connection had in flight when it was lost: not even an error came back. */
export const LOST = "lost";

/** A connection was let in, through the gateway `via`; or it ended (`info`: not by our wish). */
type Connected =
  | (Of<"open"> & { readonly phase: "ok"; readonly via: string })
  | (Of<"close"> & { readonly phase: "ok" | "info"; readonly err?: string });

type Sent =
  | (InRoom<"send"> & {
      readonly phase: "invoke";
      readonly id: MessageId;
      /** `sumOf` the body; left out by clients that do not care. */
      readonly sum?: number;
    })
  | (InRoom<"send"> & { readonly phase: "ok"; readonly id: MessageId; readonly seq: Seq })
  | (InRoom<"send"> & Unanswered & { readonly id: MessageId });

/** From `ok` on the connection is shown the room, beginning with `from`, until `leave` is `ok`. */
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
      /** `join` names everybody. */
      readonly all?: boolean;
    });

/** A page of history, asked for by `ref`: `ids` stand at `first`, `first` + 1, … */
type Paged =
  | (InRoom<"page"> & { readonly phase: "invoke"; readonly ref: number })
  | (InRoom<"page"> & {
      readonly phase: "ok";
      readonly ref: number;
      readonly first: Seq;
      readonly ids: readonly MessageId[];
    })
  | (InRoom<"page"> & Unanswered & { readonly ref: number });

export type ClientRecord = Connected | Sent | Joined | Shown | Paged;

/** Who has to be served again: all rooms, some, or the clients of one gateway. */
export type FaultScope =
  | { readonly kind: "all" }
  | { readonly kind: "rooms"; readonly rooms: readonly RoomId[] }
  | { readonly kind: "via"; readonly gateway: string };

interface FaultOf {
  readonly t: number;
  readonly op: "fault";
  /** Counts the faults of a run. */
  readonly n: number;
}

export type FaultRecord =
  /** It begins. */
  | (FaultOf & {
      readonly phase: "invoke";
      readonly fault: string;
      readonly target: string;
      readonly scope: FaultScope;
      /** The first fresh acknowledgement of whoever is in scope, from `since`. */
      readonly backMs: number;
      readonly since: "start" | "heal";
      /** No client may be shown an error while it lasts (F22). */
      readonly isSilent?: boolean;
      /** Somebody whose send cannot be stored is told so within this (F10). */
      readonly refusalMs?: number;
      /** No partition may change its owner or its epoch while it lasts (F15 at 5 %). */
      readonly isSteady?: boolean;
    })
  /**
   * It is over; from now on nothing holds the cluster back. `tenures`: new ones since its begin.
   */
  | (FaultOf & { readonly phase: "ok"; readonly tenures?: number })
  /** The archive had all that the log had at the heal, after so long; `withinMs` it should. */
  | (FaultOf & {
      readonly phase: "info";
      readonly backlog: number;
      readonly drainMs: number;
      readonly withinMs: number;
    });

export type RunRecord =
  | FaultRecord
  /** The resident memory of a process, and what it may be at most. */
  | {
      readonly t: number;
      readonly op: "sample";
      readonly process: string;
      readonly mib: number;
      readonly mibMax: number;
    }
  /** `quiet`: long enough without a change that presence must be right. `end`: all is drained. */
  | { readonly t: number; readonly op: "mark"; readonly what: "quiet" | "end" };

export type HistoryRecord = ClientRecord | RunRecord;

export function encodeRecord(record: HistoryRecord): string {
  return JSON.stringify(record);
}

/** Undefined for a line that is cut (the end of a killed client's file) or not ours. */
export function decodeRecord(line: string): HistoryRecord | undefined {
  const value = parseObject(line);
  return typeof value?.["op"] === "string" ? (value as unknown as HistoryRecord) : undefined;
}
