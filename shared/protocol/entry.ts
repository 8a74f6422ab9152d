// Entry: one record of a partition log, and the truth of every room in the partition.
//
// NDJSON. The first line is a header; the event lines follow, grouped by room in the order of
// `rooms`. Reading needs to parse the header only: lines are cut, not decoded.
//
//   entry.1. `rooms` lists [room, first seq, count]; the counts add up to the number of lines.
//   entry.2. An entry is at most ENTRY_BYTES_MAX bytes.
//   entry.3. A commit whose epoch is not that of the newest own-entry before it is VOID: every reader
//       (replay, archive, dump) skips it. A stale owner's pipelined append can land behind a rival's
//       claim, because the claim took the very sequence that the append expected.
//   entry.4. A reader refuses a version that it does not know (kind "unreadable"); it never guesses.

import { isCount, parseObject } from "../kit/json.ts";
import { isTraceparent } from "../kit/traceparent.ts";
import { isProcessId, isRoomId } from "./ids.ts";
import type { Epoch, LogSeq, Millis, ProcessId, RoomId, Seq } from "./ids.ts";

export const ENTRY_VERSION = 1;

/** A run of one room's lines: they are numbered first, first+1, … in order. */
export interface RoomLines {
  readonly room: RoomId;
  readonly first: Seq;
  readonly lines: readonly string[];
}

export type LogEntry =
  /** A claim. Its stream sequence is the epoch of the tenure that it begins. */
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
  /** The owner leaves in good order; the next may claim at once. */
  | {
      readonly kind: "release";
      readonly epoch: Epoch;
      readonly node: ProcessId;
      readonly at: Millis;
    };

/** What a claim is named in logs that versions before 2026-11-29 wrote. */
const STORED_CLAIM = "own";

export type DecodedEntry = LogEntry | { readonly kind: "unreadable"; readonly reason: string };

export function encodeEntry(entry: LogEntry): string {
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
  if (v !== ENTRY_VERSION) return unreadable(`version ${show(v)} is not known`);
  if (!isProcessId(node) || typeof at !== "number") return unreadable("the header is not complete");
  if (kind === "claim" || kind === STORED_CLAIM) return { kind: "claim", node, at };
  if (kind !== "release" && kind !== "commit") {
    return unreadable(`kind ${show(kind)} is not known`);
  }
  if (!isCount(epoch)) return unreadable("the header is not complete");
  if (kind === "release") return { kind, epoch, node, at };
  const groups = cutLines(header["rooms"], end < 0 ? [] : text.slice(end + 1).split("\n"));
  if (groups === undefined) return unreadable("the counts do not add up");
  const commit = { kind, epoch, node, at, groups } as const;
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

/** For a reason. An object is not shown: String() calls its `toString`, JSON.stringify recurses. */
function show(value: unknown): string {
  const isPlain = typeof value === "string" || typeof value === "number";
  return isPlain ? JSON.stringify(value).slice(0, 40) : typeof value;
}

function unreadable(reason: string): DecodedEntry {
  return { kind: "unreadable", reason };
}

/**
 * The epoch in force behind `entry`, which stands at `seq`; `before` is the one in front of it.
 *
 * A void commit ends the tenure that it fell into (P15): it took the place of an append of the owner,
 * which was refused, and the appends that the owner had sent behind that one fit the log again. They
 * must not count without the one before them, so nothing counts until somebody claims anew.
 */
export function epochAfter(before: Epoch, seq: LogSeq, entry: DecodedEntry): Epoch {
  if (entry.kind === "claim") return seq;
  return isVoid(before, entry) ? NO_EPOCH : before;
}

/** No own-entry has this number. */
const NO_EPOCH: Epoch = 0;

/** P15. `epoch` is the one in force in front of the entry. */
export function isVoid(epoch: Epoch, entry: DecodedEntry): boolean {
  return entry.kind === "commit" && entry.epoch !== epoch;
}
