// Member: one session in one room. A new join creates a new Member, so that a flush in progress for
// the old one never reaches the new one (feed.2).

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { Grant } from "#shared/protocol/roles.ts";
import type { Removal } from "../core/feed-io.ts";
import type { CloseReason } from "../core/session-io.ts";

/** The interface through which a feed writes to one connection. */
export interface MemberSink {
  /** Written bytes that the kernel has not accepted. */
  readonly buffered: number;
  /** Writes one control frame at the end of this iteration, or before the next `writeFrame`. */
  writeText(text: string): void;
  writeFrame(frame: Uint8Array): void;
  /** Calls `run` when the socket has room and `key` gets its turn (core/socket-turns.ts). */
  requestTurn(key: object, run: () => void): void;
  /** The turn of `key` is over, or `key` no longer waits for one. */
  endTurn(key: object): void;
  /** The member lost its right to read. Everything up to `seq` was written. */
  removed(member: Member, removal: Removal): void;
  close(reason: CloseReason): void;
}

export interface Member {
  readonly room: RoomId;
  readonly user: UserId;
  /** What the user's token gives in the room. */
  readonly grant: Grant | undefined;
  readonly sink: MemberSink;
  /** Returned in `joined`. */
  readonly ref: number;
  /** The number of the join among those of its session. */
  readonly attempt: number;
}
