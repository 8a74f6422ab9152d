// Imports: whether a room takes events that another room, or this one in another cluster, had.
//
// Owns: the judgement of one part of an import. Does not own: numbers and memory (room.ts), the
// shape of an event (shared/protocol/imported-events.ts).
//
//   room/imports.1. Only a token with `admin` imports: it brings events in the names of others.
//   room/imports.2. A part continues the room: its first number is the next one, its numbers have
//        no gap, its times do not fall and are not ahead of the owner's clock. So numbers, senders,
//        ids and times are those of the file, and the first event decides the birth.
//   room/imports.3. The first part needs a room without an event. A later part names the birth that
//        the first one gave. So an import does not continue another room of the same name.
//   room/imports.4. Rights are not judged again: the events were decided where they happened. A
//        room stores no more members than any other (M7). Each event counts where it stands, so a
//        full room takes the changes of its members.

import type { ImportCommand } from "#shared/protocol/commands.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import type { Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import { ROOM_MEMBERS_MAX } from "#shared/protocol/limits.ts";
import { isStored, memberOf } from "./room-state.ts";
import type { RoomState } from "./room-state.ts";

/** What a judgement needs of a room: its decided state, not the committed one. */
export interface ImportingRoom {
  readonly next: Seq;
  readonly born: string;
  readonly lastAt: Millis;
  readonly state: Pick<RoomState, "member" | "size">;
}

export type ImportRefusal = "forbidden" | "conflict" | "bad_frame";

export function judgeImport(
  room: ImportingRoom,
  { grant, born, events }: ImportCommand,
  now: Millis,
): ImportRefusal | undefined {
  if (grant !== "admin") return "forbidden"; // room/imports.1
  const [first] = events;
  if (first === undefined || first.seq !== room.next) return "conflict"; // room/imports.2
  const isBirth = room.next === 1;
  if ((isBirth ? first.id : room.born) !== born) return "conflict"; // room/imports.3
  let { lastAt } = room;
  for (const [i, { seq, at }] of events.entries()) {
    if (seq !== first.seq + i || at < lastAt || at > now) return "bad_frame";
    lastAt = at;
  }
  return fitsIn(room.state, events) ? undefined : "conflict"; // room/imports.4
}

/** Whether the room stores no user beyond its bound behind any of the events. */
function fitsIn(state: ImportingRoom["state"], events: readonly RoomEvent[]): boolean {
  const isIn = new Map<UserId, boolean>();
  let { size } = state;
  for (const event of events) {
    if (event.t !== "member") continue;
    const was = isIn.get(event.user) ?? state.member(event.user) !== undefined;
    const is = isStored(memberOf(event));
    isIn.set(event.user, is);
    if (is === was) continue;
    size += is ? 1 : -1;
    if (is && size > ROOM_MEMBERS_MAX) return false;
  }
  return true;
}
