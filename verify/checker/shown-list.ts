// ShownList: the record of a `rooms` frame.

import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import type { ShownRoom } from "./record.ts";

interface FrameRoom extends Omit<ShownRoom, "last"> {
  readonly room: RoomId;
  readonly last?: { readonly seq: Seq };
}

export interface ShownList {
  readonly op: "list";
  readonly phase: "ok";
  readonly ref: number;
  readonly rooms: readonly ShownRoom[];
}

export function shownListOf(frame: { readonly [key: string]: unknown }): ShownList {
  const rooms = frame["rooms"] as readonly FrameRoom[];
  const shown = rooms.map(({ room, head, role, read, unread, mentions, last }): ShownRoom => {
    return { room, head, role, read, unread, mentions, last: last?.seq ?? 0 };
  });
  return { op: "list", phase: "ok", ref: Number(frame["ref"]), rooms: shown };
}
