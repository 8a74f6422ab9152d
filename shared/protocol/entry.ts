// Entry: both halves of the records of a partition log.
//
// An entry is NDJSON. The first line is a header. The event lines follow, grouped by room in the
// order of `rooms`. A reader parses the header and cuts the lines; it does not decode them.
//
//   entry.1. `rooms` has [room, first seq, count] for each room. The sum of the counts is the
//        number of lines.
//   entry.2. An entry is at most ENTRY_BYTES_MAX bytes.
//   entry.3. A commit is void when its epoch is not the epoch of the newest claim before it.
//        Every reader (replay, archive, dump) skips it. A pipelined append of an old owner can
//        follow a rival's claim, because the claim takes exactly the log sequence that the append
//        expects.
//   entry.4. A reader returns "unreadable" for an unknown version and does not guess. An entry of a
//        higher version may hold events, so no reader passes over it (N8). An entry of an unknown
//        kind of this version holds no event and changes no tenure.
//   entry.5. A split has a version of its own, so that a process that lacks it does not skip it. A
//        split ends its tenure: no commit counts until the next claim. A split of another epoch is
//        void like a commit.

import { isCount, parseObject } from "../kit/json.ts";
import { isTraceparent } from "../kit/traceparent.ts";
import { isProcessId, isRoomId } from "./ids.ts";
import type { Epoch, LogSeq, Millis, ProcessId, RoomId, Seq } from "./ids.ts";

export const ENTRY_VERSION = 1;
const SPLIT_VERSION = 2;

/** A run of one room's lines: they are numbered first, first+1, … in order. */
export interface RoomLines {
  readonly room: RoomId;
  readonly first: Seq;
  readonly lines: readonly string[];
}

export type LogEntry =
  /** Begins a tenure. The log sequence of the claim is the epoch. */
  | { readonly kind: "claim"; readonly node: ProcessId; readonly at: Millis }
  | {
      readonly kind: "commit";
      readonly epoch: Epoch;
      readonly node: ProcessId;
      readonly at: Millis;
      readonly groups: readonly RoomLines[];
      /** W3C trace contexts of its sampled messages, when there are any. */
      readonly traces?: readonly string[];
    }
  /** Ends a tenure on purpose. The next owner can claim at once. */
  | {
      readonly kind: "release";
      readonly epoch: Epoch;
      readonly node: ProcessId;
      readonly at: Millis;
    }
  /**
   * Ends a tenure: from here on the partition serves only the rooms with fnv1a32(room) mod `of` = p
   * (partition-map.ts). A commit behind it is void until the next claim.
   */
  | {
      readonly kind: "split";
      readonly epoch: Epoch;
      readonly node: ProcessId;
      readonly at: Millis;
      readonly of: number;
    };

/** The kind of a claim in entries that versions before 2026-11-29 wrote. */
const STORED_CLAIM = "own";

export type DecodedEntry =
  | LogEntry
  | {
      readonly kind: "unreadable";
      readonly reason: string;
      /** A newer version of Parley wrote it (entry.4). */
      readonly isNewer?: true;
    };

export function encodeEntry(entry: LogEntry): string {
  if (entry.kind === "split") return JSON.stringify({ v: SPLIT_VERSION, ...entry });
  if (entry.kind !== "commit") return JSON.stringify({ v: ENTRY_VERSION, ...entry });
  const { kind, epoch, node, at, groups, traces } = entry;
  const rooms = groups.map((group) => [group.room, group.first, group.lines.length]);
  const header = { v: ENTRY_VERSION, kind, epoch, node, at, rooms, ...(traces && { traces }) };
  const parts = [JSON.stringify(header)];
  for (const group of groups) for (const line of group.lines) parts.push(line);
  return parts.join("\n");
}

export function decodeEntry(text: string): DecodedEntry {
  const end = text.indexOf("\n");
  const header = parseObject(end < 0 ? text : text.slice(0, end));
  if (header === undefined) return unreadable("the header is not JSON");
  const { v, kind, epoch, node, at } = header;
  const isSplit = v === SPLIT_VERSION && kind === "split";
  if (v !== ENTRY_VERSION && !isSplit) {
    const entry = unreadable(`version ${show(v)} is not known`);
    return Number.isSafeInteger(v) && Number(v) > ENTRY_VERSION
      ? { ...entry, isNewer: true }
      : entry;
  }
  if (!isProcessId(node) || typeof at !== "number") return unreadable("the header is not complete");
  if (kind === "claim" || kind === STORED_CLAIM) return { kind: "claim", node, at };
  if (kind !== "release" && kind !== "commit" && !isSplit) {
    return unreadable(`kind ${show(kind)} is not known`);
  }
  if (!isCount(epoch)) return unreadable("the header is not complete");
  if (kind === "release") return { kind, epoch, node, at };
  if (isSplit) {
    const { of } = header;
    if (!isCount(of) || of < 2) return unreadable("the header is not complete");
    return { kind: "split", epoch, node, at, of };
  }
  const groups = cutLines(header["rooms"], end < 0 ? [] : text.slice(end + 1).split("\n"));
  if (groups === undefined) return unreadable("the counts do not add up");
  const commit = { kind: "commit", epoch, node, at, groups } as const;
  const traces = header["traces"];
  return Array.isArray(traces) ? { ...commit, traces: traces.filter(isTraceparent) } : commit;
}

/** Undefined when `rooms` does not describe exactly these lines (entry.1). */
function cutLines(rooms: unknown, lines: readonly string[]): RoomLines[] | undefined {
  if (!Array.isArray(rooms)) return undefined;
  const groups: RoomLines[] = [];
  let next = 0;
  for (const item of rooms as readonly unknown[]) {
    if (!Array.isArray(item)) return undefined;
    const [room, first, count] = item as readonly unknown[];
    if (!isRoomId(room) || !isCount(first) || !isCount(count) || first === 0) return undefined;
    groups.push({ room, first, lines: lines.slice(next, next + count) });
    next += count;
  }
  return next === lines.length ? groups : undefined;
}

/** For a reason. Not for objects: String() calls their `toString`, JSON.stringify recurses. */
function show(value: unknown): string {
  const isPlain = typeof value === "string" || typeof value === "number";
  return isPlain ? JSON.stringify(value).slice(0, 40) : typeof value;
}

function unreadable(reason: string): Extract<DecodedEntry, { kind: "unreadable" }> {
  return { kind: "unreadable", reason };
}

/**
 * The epoch in force after `entry`, which has the log sequence `seq`. `before` is the epoch before
 * it.  A void commit ends the tenure in which it lies (P15). It took the log sequence of an append
 * of the owner, so the log refused that append, and the owner's later appends fit the log again.
 * They must not count without the refused one, so no commit counts until the next claim.
 */
export function epochAfter(before: Epoch, seq: LogSeq, entry: DecodedEntry): Epoch {
  if (entry.kind === "claim") return seq;
  return isVoid(before, entry) || entry.kind === "split" ? NO_EPOCH : before;
}

/** No claim has this log sequence. */
const NO_EPOCH: Epoch = 0;

/** P15. `epoch` is the epoch in force before the entry. */
export function isVoid(epoch: Epoch, entry: DecodedEntry): boolean {
  return (entry.kind === "commit" || entry.kind === "split") && entry.epoch !== epoch;
}
