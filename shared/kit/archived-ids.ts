// Archived ids: which message ids a room snapshot carries, and the dedupe floor that it may claim
// for them.
// All archive stores share this code, so that their snapshots are equal.
//
//   archived-ids.1. A snapshot carries every archived id of the room whose own time is ≥ the floor
//        and ≥ the floor of its sender. So a floor lies between two times, and ids of equal time
//        are kept or dropped together.
//   archived-ids.2. The kept ids are within SNAPSHOT_IDS_MAX and SNAPSHOT_IDS_BYTES_MAX. The oldest
//        are dropped.
//   archived-ids.3. Ids from the future (≥ edgeOf) have bounds of their own, so that they never
//        displace present ids. Either all of them are kept, or none, and their senders get floors
//        (P24).

import { parseObject } from "./json.ts";
import { SNAPSHOT_AHEAD_IDS_MAX, SNAPSHOT_FLOORS_MAX } from "../ports/archive.ts";
import { SNAPSHOT_IDS_MAX } from "../ports/archive.ts";
import type { RoomSnapshot } from "../protocol/history.ts";
import { isMessageId, messageTime, utf8Length } from "../protocol/ids.ts";
import type { MessageId, Millis, UserId } from "../protocol/ids.ts";
import { ID_SLACK_MS } from "../protocol/limits.ts";

/** With the tail, a reply stays below the one megabyte that a bus message may have. */
export const SNAPSHOT_IDS_BYTES_MAX = 640 * 1024;
/** For the ids from the future, and for the floors. */
export const SNAPSHOT_AHEAD_BYTES_MAX = 64 * 1024;

export type SnapshotId = RoomSnapshot["ids"][number];
export type SenderFloor = readonly [UserId, Millis];
type Bounded = Pick<RoomSnapshot, "ids" | "floor" | "floors">;

/**
 * An id whose own time is at or after this edge is from the future, in a room whose newest event
 * has time `lastAt`.
 */
export function edgeOf(lastAt: Millis): Millis {
  return lastAt + ID_SLACK_MS + 1;
}

/**
 * Whether a snapshot can carry these ids from the future. If not, it carries the floors of their
 * senders.
 */
export function fitsAhead(ahead: readonly SnapshotId[]): boolean {
  const bytes = ahead.reduce((sum, [, sender]) => sum + idBytes(sender), 0);
  return ahead.length <= SNAPSHOT_AHEAD_IDS_MAX && bytes <= SNAPSHOT_AHEAD_BYTES_MAX;
}

/**
 * The ids of a snapshot. `newest`: the ids from `since` to `edge`, newest first; at most
 * SNAPSHOT_IDS_MAX + 1 of them are needed. `ahead`: the ids from `edge` on if they fit, or the
 * floors of all their senders, highest first; at most SNAPSHOT_FLOORS_MAX + 1 of them are needed.
 */
export function boundAll(
  newest: readonly SnapshotId[],
  ahead: { readonly ids: readonly SnapshotId[] } | { readonly floors: readonly SenderFloor[] },
  { since, edge }: { readonly since: Millis; readonly edge: Millis },
): Bounded {
  const { ids, floor } = boundIds(newest, Math.min(since, edge));
  if ("ids" in ahead) return { ids: [...ids, ...ahead.ids.toReversed()], floor };
  let bytes = 0;
  const end = ahead.floors.findIndex(([sender], index) => {
    bytes += 40 + jsonBytes(sender);
    return index >= SNAPSHOT_FLOORS_MAX || bytes > SNAPSHOT_AHEAD_BYTES_MAX;
  });
  if (end < 0) return { ids, floor, floors: ahead.floors };
  const [, rest] = ahead.floors[end] ?? ["", 0];
  return { ids, floor: Math.max(floor, rest), floors: ahead.floors.slice(0, end) };
}

/** The floors of the senders of these ids, highest first. */
export function floorsOf(
  ids: readonly (readonly [MessageId, UserId, ...(readonly unknown[])])[],
): SenderFloor[] {
  const floors = new Map<UserId, Millis>();
  for (const [id, sender] of ids) {
    floors.set(sender, Math.max(floors.get(sender) ?? 0, messageTime(id) + 1));
  }
  return [...floors].sort(([, a], [, b]) => b - a);
}

/**
 * Size as JSON: the id in quotes, the sender with all its escapes, two numbers, commas, brackets.
 */
function idBytes(sender: UserId): number {
  return 80 + jsonBytes(sender);
}

function jsonBytes(sender: UserId): number {
  return utf8Length(JSON.stringify(sender));
}

/**
 * `newest` holds the ids whose own time is ≥ `since`, newest first. With SNAPSHOT_IDS_MAX + 1 of
 * them, the function detects that there are more than a snapshot can carry.
 */
export function boundIds(
  newest: readonly SnapshotId[],
  since: Millis,
): { readonly ids: readonly SnapshotId[]; readonly floor: Millis } {
  let bytes = 0;
  for (const [index, item] of newest.entries()) {
    bytes += idBytes(item[1]);
    if (index < SNAPSHOT_IDS_MAX && bytes <= SNAPSHOT_IDS_BYTES_MAX) continue;
    const cut = messageTime(item[0]);
    const ids = newest.slice(0, index).filter(([id]) => messageTime(id) > cut);
    return { ids: ids.toReversed(), floor: cut + 1 };
  }
  return { ids: newest.toReversed(), floor: since };
}

/** The smallest id of `time`, for `id >= …`. It is not a valid message id. */
export function firstIdAt(time: Millis): MessageId {
  const clamped = Math.min(Math.max(0, Math.ceil(time)), 2 ** 48 - 1);
  const hex = clamped.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000` as MessageId;
}

/** The keys of a quarantined line; undefined when the line cannot be decoded. */
export function keysOf(
  line: string,
): { readonly id: MessageId; readonly sender: UserId; readonly at: Millis } | undefined {
  const value = parseObject(line);
  const { id, from, at } = value ?? {};
  if (!isMessageId(id) || typeof from !== "string" || !Number.isSafeInteger(at)) return undefined;
  return { id, sender: from as UserId, at: at as Millis };
}
