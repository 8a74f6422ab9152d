// Tenure options: what a tenure begins with (tenure.ts), and the one thing that is told to it from outside
// while it lasts.

import type { Epoch, LogSeq, ProcessId, RoomId } from "#shared/protocol/ids.ts";
import type { RoomMemory } from "./room-memory.ts";
import type { ReplayedRoom } from "./replayed-room.ts";
import type { UnarchivedLines } from "./unarchived.ts";

/** How far the wall clock is ahead of the `now` that never jumps. The partition keeps it right. */
export interface Wall {
  aheadMs: number;
}

export interface TenureOptions {
  readonly node: ProcessId;
  readonly epoch: Epoch;
  /** The archive's watermark that the replay began above. */
  readonly watermark: LogSeq;
  readonly replayed: ReadonlyMap<RoomId, ReplayedRoom>;
  /** Of the replayed rooms. */
  readonly unarchived: UnarchivedLines;
  readonly memory: RoomMemory;
  readonly wall: Wall;
}
