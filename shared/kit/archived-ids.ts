// Archived ids: which of them a room snapshot carries, and the floor it may claim for them. Shared by
// all archive stores, so that they cut alike.
//
//   archived-ids.1. Every archived id of the room whose own time is ≥ floor, and ≥ its sender's own floor, is among
//       the kept ones. So a cut is made between two times, never within one.
//   archived-ids.2. The kept ids are within SNAPSHOT_IDS_MAX and SNAPSHOT_IDS_BYTES_MAX; the oldest are cut.
//   archived-ids.3. Ids from the future (≥ edgeOf) have bounds of their own, so that they never cut those of now:
//       either all of them are kept, or none, and their senders get floors (P24).

import { parseObject } from "./json.ts";
import { SNAPSHOT_AHEAD_IDS_MAX, SNAPSHOT_FLOORS_MAX } from "../ports/archive.ts";
import { SNAPSHOT_IDS_MAX } from "../ports/archive.ts";
import type { RoomSnapshot } from "../protocol/history.ts";
import { isMessageId, messageTime, utf8Length } from "../protocol/ids.ts";
import type { MessageId, Millis, UserId } from "../protocol/ids.ts";
import { ID_SLACK_MS } from "../protocol/limits.ts";

/** With the tail beside it a reply stays below the megabyte that a bus message may have. */
export const SNAPSHOT_IDS_BYTES_MAX = 640 * 1024;
/** Of the ids from the future, and of the floors. */
export const SNAPSHOT_AHEAD_BYTES_MAX = 64 * 1024;

export type SnapshotId = RoomSnapshot["ids"][number];
export type SenderFloor = readonly [UserId, Millis];
type Bounded = Pick<RoomSnapshot, "ids" | "floor" | "floors">;

/** The time from which on an id is one from the future, in a room whose newest event is of `lastAt`. */
export function edgeOf(lastAt: Millis): Millis {
  return lastAt + ID_SLACK_MS + 1;
}

/** Whether a snapshot can carry these ids from the future; if not, it needs the floors of their senders. */
export function fitsAhead(ahead: readonly SnapshotId[]): boolean {
  const bytes = ahead.reduce((sum, [, sender]) => sum + idBytes(sender), 0);
  return ahead.length <= SNAPSHOT_AHEAD_IDS_MAX && bytes <= SNAPSHOT_AHEAD_BYTES_MAX;
}

/**
 * The ids of a snapshot. `newest`: those from `since` to `edge`, newest first; one more than
 * SNAPSHOT_IDS_MAX is enough. `ahead`: those from `edge` on that fit, or the floors of all their senders,
 * highest first, of which one more than SNAPSHOT_FLOORS_MAX is enough.
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

/** The floors of these ids' senders, highest first. */
export function floorsOf(
  ids: readonly (readonly [MessageId, UserId, ...(readonly unknown[])])[],
): SenderFloor[] {
  const floors = new Map<UserId, Millis>();
  for (const [id, sender] of ids) {
    floors.set(sender, Math.max(floors.get(sender) ?? 0, messageTime(id) + 1));
  }
  return [...floors].sort(([, a], [, b]) => b - a);
}

/** As JSON: the id in quotes, the sender with all its escapes, two numbers, commas, brackets. */
function idBytes(sender: UserId): number {
  return 80 + jsonBytes(sender);
}

function jsonBytes(sender: UserId): number {
  return utf8Length(JSON.stringify(sender));
}

/**
 * `newest` holds the ids whose own time is ≥ `since`, newest first; one more than SNAPSHOT_IDS_MAX
 * is enough to see that there are more.
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

/** The smallest id that claims `time`, for `id >= …`; not itself a valid message id. */
export function firstIdAt(time: Millis): MessageId {
  const clamped = Math.min(Math.max(0, Math.ceil(time)), 2 ** 48 - 1);
  const hex = clamped.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000` as MessageId;
}

/** The keys that a quarantined line says, if it still says them; undefined when not. */
export function keysOf(
  line: string,
): { readonly id: MessageId; readonly sender: UserId; readonly at: Millis } | undefined {
  const value = parseObject(line);
  const { id, from, at } = value ?? {};
  if (!isMessageId(id) || typeof from !== "string" || !Number.isSafeInteger(at)) return undefined;
  return { id, sender: from as UserId, at: at as Millis };
}
