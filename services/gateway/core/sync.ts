// Sync: all local members of a partition's rooms as commands of bounded size.
//
// A `sync` replaces the gateway's earlier announcement for its rooms, so a room is in one `sync`
// only. Users that do not fit follow as `join` commands, which add to it.

import type { JoinCommand, SyncCommand, SyncGrants } from "#shared/protocol/commands.ts";
import type { RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import { SYNC_BYTES_MAX } from "./bounds.ts";

/** [room, the last seq of this gateway, the users with a local session, their grants if any] */
export type SyncRoom = readonly [RoomId, Seq, readonly UserId[], SyncGrants?];
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
  for (const [room, last, users, grants = []] of rooms) {
    const given = new Map(grants);
    const theirs: (readonly [UserId, Grant])[] = [];
    let size = room.length + 32;
    let fitting = 0;
    for (const user of users) {
      const grant = given.get(user);
      const more = bytesOf(user) + (grant === undefined ? 0 : bytesOf([user, grant]));
      if (size + more > SYNC_BYTES_MAX) break;
      if (grant !== undefined) theirs.push([user, grant]);
      size += more;
      fitting++;
    }
    if (bytes + size > SYNC_BYTES_MAX) finish();
    const named = users.slice(0, fitting);
    chunk.push(theirs.length === 0 ? [room, last, named] : [room, last, named, theirs]);
    bytes += size;
    for (const user of users.slice(fitting)) {
      const grant = given.get(user);
      joins.push({ op: "join", room, user, ...(grant !== undefined && { grant }) });
    }
  }
  finish();
  return [...parts, ...joins];
}

/** With the comma behind it. */
function bytesOf(item: unknown): number {
  return utf8Length(JSON.stringify(item)) + 1;
}
