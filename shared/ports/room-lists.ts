// Room lists: the rooms of a user with their unread counts, the search for open rooms, and read
// positions. The archive has them; persistence answers for it.
//
// The contract (shared/testing/room-lists.contract.ts proves it on memory and on PostgreSQL):
//   room-lists.1. The transaction of a batch stores its mentions, and since which line a user is a
//        member. A batch that is written twice, or cut in another way, gives the same lists.
//   room-lists.2. A page is of one moment.
//   room-lists.3. A read position only grows, and only a member has one. It is stored beside the
//        batches: the watermark says nothing about it. A position above the events that the archive
//        has comes back when the user is no member yet: the line that makes the user one can be
//        among the missing events.

import type { Partition } from "../protocol/ids.ts";
import type {
  FindQuery,
  FoundRooms,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "../protocol/room-list.ts";
import type { Read } from "./archive.ts";

/** All methods resolve, never reject. */
export interface RoomListStore {
  /** The rooms whose member the user is. */
  rooms(query: RoomsQuery): Promise<Read<RoomsPage>>;
  /** The open rooms with a `room` event whose title or id has the text. */
  findRooms(query: FindQuery): Promise<Read<FoundRooms>>;
  /**
   * Stores the positions that are higher than the stored ones. Returns those to say again later
   * (room-lists.3).
   */
  putReads(reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>>;
}

/** The same over the bus. A list is asked of any partition, because every archive has all rooms. */
export interface RoomListReader {
  rooms(p: Partition, query: RoomsQuery): Promise<Read<RoomsPage>>;
  findRooms(p: Partition, query: FindQuery): Promise<Read<FoundRooms>>;
  /** The positions in rooms of the partition. */
  putReads(p: Partition, reads: readonly ReadPosition[]): Promise<Read<readonly ReadPosition[]>>;
}
