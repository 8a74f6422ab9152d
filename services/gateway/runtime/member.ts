// Member: one session in one room, as the room's runner sees it. A new join makes a new Member, so
// that a flush under way for the old one can never reach the new one (feed.2).

import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { CloseReason } from "../core/session-io.ts";

/** What a room may do to a connection. */
export interface MemberSink {
  /** Bytes written that the kernel has not taken. */
  readonly buffered: number;
  /** One control frame; leaves at the end of this turn, or before the next `writeFrame`. */
  writeText(text: string): void;
  writeFrame(frame: Uint8Array): void;
  /** Calls `run` when the socket has room and it is the turn of `key` (core/socket-turns.ts). */
  wantTurn(key: object, run: () => void): void;
  /** The turn of `key` is over, or it does not want one any more. */
  endTurn(key: object): void;
  close(reason: CloseReason): void;
}

export interface Member {
  readonly room: RoomId;
  readonly user: UserId;
  readonly sink: MemberSink;
  /** Echoed in `joined`. */
  readonly ref: number;
}
