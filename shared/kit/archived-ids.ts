// Archived ids: which of them a room snapshot carries, and the floor it may claim for them. Shared by
// all archive stores, so that they cut alike.
//
//   H3. Every archived id of the room whose own time is ≥ floor is among the kept ones, and no
//       smaller floor would be true. So a cut is made between two times, never within one.
//   I1. The kept ids are within SNAPSHOT_IDS_MAX and SNAPSHOT_IDS_BYTES_MAX; the oldest are cut.

import { parseObject } from "./json.ts";
import { SNAPSHOT_IDS_MAX } from "../ports/archive.ts";
import type { RoomSnapshot } from "../protocol/history.ts";
import { isMessageId, messageTime, utf8Length } from "../protocol/ids.ts";
import type { MessageId, Millis, UserId } from "../protocol/ids.ts";

/** With the tail beside it a reply stays below the megabyte that a bus message may have. */
export const SNAPSHOT_IDS_BYTES_MAX = 768 * 1024;

export type SnapshotId = RoomSnapshot["ids"][number];

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
    // As JSON: the id in quotes, the sender with all its escapes, two numbers, commas, brackets.
    bytes += 80 + utf8Length(JSON.stringify(item[1]));
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
