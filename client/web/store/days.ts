// Days: groups messages by day, and within a day by sender.
//
//   days.1. The rows of all days, in order, are exactly the given messages.
//   days.2. A message begins a group after another sender's message or a notice, after a pause of
//        more than GROUP_GAP_MS, or at the unread mark. Only the first message of a group shows
//        name and time.

import { dayKey } from "./day-key.ts";
import type { Message, SentMessage, UnsentMessage } from "./timeline-rows.ts";

/** Messages of one sender within this time form one group. */
export const GROUP_GAP_MS = 5 * 60_000;

export interface Row {
  readonly message: Message;
  readonly isHead: boolean;
  /** The first unread message when the room was opened. */
  readonly isFirstUnread: boolean;
}

export interface Day {
  /** The local calendar day, `2026-11-03`. */
  readonly key: string;
  readonly at: number;
  readonly rows: readonly Row[];
}

export function groupByDay(
  sent: readonly SentMessage[],
  unsent: readonly UnsentMessage[],
  readMark: number | undefined,
): readonly Day[] {
  const days: { key: string; at: number; rows: Row[] }[] = [];
  let previous: Message | undefined;
  // The mark can be before the first loaded message: then the line is not in this range.
  let hasUnread = (sent[0]?.seq ?? 0) > (readMark ?? 0) + 1;
  for (const message of [...sent, ...unsent]) {
    const key = dayKey(message.at);
    let day = days.at(-1);
    // The local clock can be behind the server's: an unsent message never opens an earlier day.
    if (day === undefined || key > day.key) {
      day = { key, at: message.at, rows: [] };
      days.push(day);
      previous = undefined;
    }
    const isFirstUnread =
      readMark !== undefined &&
      readMark > 0 &&
      !hasUnread &&
      message.kind === "sent" &&
      message.seq > readMark;
    hasUnread ||= isFirstUnread;
    const isHead = isFirstUnread || !continues(previous, message);
    day.rows.push({ message, isHead, isFirstUnread });
    previous = message;
  }
  return days;
}

function continues(previous: Message | undefined, message: Message): boolean {
  if (previous === undefined || previous.from !== message.from) return false;
  if (previous.kind === "notice") return false;
  return message.at - previous.at <= GROUP_GAP_MS;
}
