// Sync: all local members of a partition's rooms as commands of bounded size.
//
// A `sync` replaces the gateway's earlier announcement for its rooms, so a room is in one `sync`
// only. Users that do not fit follow as `join` commands, which add to it.

import type { JoinCommand, SyncCommand } from "#shared/protocol/commands.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import { SYNC_BYTES_MAX } from "./bounds.ts";

/** [room, the last seq of this gateway, the users with a local session] */
export type SyncRoom = readonly [RoomId, Seq, readonly UserId[]];
export type SyncPart = Omit<SyncCommand, "c"> | Omit<JoinCommand, "c">;

export function syncCommands(rooms: Iterable<SyncRoom>): SyncPart[] {
  const parts: SyncPart[] = [];
  const joins: SyncPart[] = [];
  let chunk: SyncRoom[] = [];
  let bytes = 0;
  const finish = (): void => {
    if (chunk.length > 0) parts.push({ op: "sync", rooms: chunk });
    chunk = [];
    bytes = 0;
  };
  for (const [room, last, users] of rooms) {
    let size = room.length + 32;
    let fitting = 0;
    for (const user of users) {
      const more = utf8Length(JSON.stringify(user)) + 1;
      if (size + more > SYNC_BYTES_MAX) break;
      size += more;
      fitting++;
    }
    if (bytes + size > SYNC_BYTES_MAX) finish();
    chunk.push([room, last, users.slice(0, fitting)]);
    bytes += size;
    for (const user of users.slice(fitting)) joins.push({ op: "join", room, user });
  }
  finish();
  return [...parts, ...joins];
}
