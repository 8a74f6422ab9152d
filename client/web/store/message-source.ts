// MessageSource: what a list of messages and its composer show: a room, or one thread of it.

import type { Paging } from "#client/sdk/timeline/room-timeline.ts";
import type { MessageChanges } from "./message-changes.ts";
import type { RoomStatus } from "./client-port.ts";
import type { Draft } from "./draft.ts";
import type { TimelineRows } from "./timeline-rows.ts";

export interface JumpTarget {
  /** The number of a message in the timeline. */
  readonly seq: number;
}

export interface MessageSource {
  /** The name of the room. */
  readonly name: string;
  readonly me: string;
  readonly timeline: TimelineRows;
  readonly changes: MessageChanges;
  readonly draft: Draft;
  readonly status: RoomStatus;
  /** The users who type now. */
  readonly typing: readonly string[];
  readonly older: Paging;
  readonly newer: Paging;
  /** True when the first message is in the timeline, or when there is none. */
  readonly isFromBeginning: boolean;
  readonly unread: number;
  /** The read position when the room was opened: the "New" line is behind it. */
  readonly readMark: number | undefined;
  /** Grows by one when the list must scroll to the end. */
  readonly jumps: number;
  /** A new object when the list must show this message. */
  readonly target: JumpTarget | undefined;
  /** The names that a message can mention. */
  readonly mentionable: readonly string[];
  /** Loads the names of absent members, for `mentionable`. */
  loadMembers(): void;
  retry(id: string): void;
  discard(id: string): void;
  loadOlder(): Promise<void>;
  loadNewer(): Promise<void>;
  /** Loads the end if necessary, and scrolls there. */
  jumpToEnd(): void;
  /** The view calls it when the end of the list becomes visible or hidden. */
  setAtEnd(isAtEnd: boolean): void;
}

/** The user's own newest message that can be edited. */
export function lastOwn({ timeline, me }: MessageSource): number | undefined {
  return timeline.sent.findLast(
    ({ kind, from, isDeleted }) => kind === "sent" && from === me && isDeleted !== true,
  )?.seq;
}
