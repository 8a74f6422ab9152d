// Archived senders: the last messages of the recent senders of a room with slow mode, for its
// snapshot.
//
//   archived-senders.1. Only messages that a sender can still have to wait for: behind the event
//        that set the slow mode, and within its seconds before the newest event of the room.
//   archived-senders.2. A store reads at most SENDERS_SCAN_MAX events, and returns the
//        SLOW_SENDERS_MAX newest senders within SENDERS_BYTES_MAX, in the order of their messages.

import type { RoomSettings } from "../protocol/events.ts";
import type { SenderTime } from "../protocol/history.ts";
import { utf8Length } from "../protocol/ids.ts";
import type { Millis, Seq } from "../protocol/ids.ts";
import { SLOW_SENDERS_MAX } from "../protocol/limits.ts";

export const SENDERS_SCAN_MAX = 5_000;
export const SENDERS_BYTES_MAX = 128 * 1024;

/** The messages that count: numbers from `first` on, with a time above `since`. */
export function countedMessages(
  settings: RoomSettings | undefined,
  { head, lastAt }: { readonly head: Seq; readonly lastAt: Millis },
): { readonly first: Seq; readonly since: Millis } | undefined {
  const { slowMode, slowFrom = 0 } = settings ?? {};
  if (slowMode === undefined) return undefined;
  const first = Math.max(slowFrom, head - SENDERS_SCAN_MAX + 1, 1);
  return { first, since: lastAt - slowMode * 1_000 };
}

/** `newest`: one for each sender, the newest message first. */
export function cutSenders(newest: readonly SenderTime[]): SenderTime[] {
  let bytes = 0;
  const fitting = newest.slice(0, SLOW_SENDERS_MAX).filter((sender) => {
    bytes += utf8Length(JSON.stringify(sender)) + 1;
    return bytes <= SENDERS_BYTES_MAX;
  });
  return fitting.toReversed();
}
