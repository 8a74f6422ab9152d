// RoomLists: asks the archive for the rooms of a user, for open rooms and for messages. It
// implements the RoomListsApi port.
//
//   gateway/room-lists.1. The positions that the user has said here are stored before the list is
//        read, so that a client sees its own reading in it.
//   gateway/room-lists.2. A user has at most LISTS_PER_USER_MAX requests in flight over all their
//        sockets and HTTP, and all users have LISTS_MAX. Beyond it: `busy`.
//   gateway/room-lists.3. The users spread over the partitions' subjects, because any persistence
//        process can answer.
//   gateway/room-lists.4. A read without an answer is repeated RETRY_WAITS_MS later: a persistence
//        process may have left (S8). No read begins later than RETRY_WITHIN_MS: an archive that is
//        silent must not keep a client waiting until it takes its connection for broken.

import type { Clock } from "#shared/ports/clock.ts";
import type { RoomListReader } from "#shared/ports/room-lists.ts";
import type { SearchReader } from "#shared/ports/search.ts";
import type { Read } from "#shared/ports/archive.ts";
import type { Partition, RoomId, UserId } from "#shared/protocol/ids.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import type { FindQuery, RoomsQuery } from "#shared/protocol/room-list.ts";
import type { SearchQuery } from "#shared/protocol/search.ts";
import { LISTS_MAX, LISTS_PER_USER_MAX } from "../core/bounds.ts";
import { InFlight } from "../core/in-flight.ts";
import type {
  FindOutcome,
  RoomListsApi,
  RoomsOutcome,
  SearchOutcome,
} from "../core/room-lists-port.ts";
import type { Refused } from "../core/room-api-port.ts";
import type { ReadPositionsRunner } from "./read-positions-runner.ts";

/** gateway/room-lists.4. */
const RETRY_WAITS_MS = [50, 200, 800, 2_000];
const RETRY_WITHIN_MS = 4_000;

const BUSY: Refused = { kind: "refused", error: "busy" };
const UNAVAILABLE: Refused = { kind: "refused", error: "unavailable" };

export class RoomLists implements RoomListsApi {
  readonly #archive: RoomListReader & SearchReader;
  readonly #map: Pick<PartitionMap, "partitionOf">;
  readonly #positions: Pick<ReadPositionsRunner, "flush">;
  readonly #clock: Pick<Clock, "after" | "monotonic">;
  readonly #calls = new InFlight<UserId>(LISTS_PER_USER_MAX, LISTS_MAX);

  constructor(parts: {
    readonly archive: RoomListReader & SearchReader;
    readonly map: Pick<PartitionMap, "partitionOf">;
    readonly positions: Pick<ReadPositionsRunner, "flush">;
    readonly clock: Pick<Clock, "after" | "monotonic">;
  }) {
    this.#archive = parts.archive;
    this.#map = parts.map;
    this.#positions = parts.positions;
    this.#clock = parts.clock;
  }

  rooms(query: RoomsQuery): Promise<RoomsOutcome> {
    const { user } = query;
    return this.#bounded(user, async () => {
      await this.#positions.flush(user); // gateway/room-lists.1
      const read = await this.#patiently(() => this.#archive.rooms(this.#partitionOf(user), query));
      return valueOf(read, (page) => ({ kind: "rooms", page }));
    });
  }

  find(query: FindQuery): Promise<FindOutcome> {
    const { user } = query;
    return this.#bounded(user, async () => {
      const read = await this.#patiently(() =>
        this.#archive.findRooms(this.#partitionOf(user), query),
      );
      return valueOf(read, (found) => ({ kind: "found", found }));
    });
  }

  search(query: SearchQuery): Promise<SearchOutcome> {
    const { user } = query;
    return this.#bounded(user, async () => {
      const read = await this.#patiently(() =>
        this.#archive.search(this.#partitionOf(user), query),
      );
      return valueOf(read, (found) => ({ kind: "messages", found }));
    });
  }

  /** gateway/room-lists.3: only a number is needed, so the user's id counts as a room's. */
  #partitionOf(user: UserId): Partition {
    return this.#map.partitionOf(user as string as RoomId);
  }

  /** gateway/room-lists.4. */
  async #patiently<V>(ask: () => Promise<Read<V>>): Promise<Read<V>> {
    const until = this.#clock.monotonic() + RETRY_WITHIN_MS;
    let read = await ask();
    for (const waitMs of RETRY_WAITS_MS) {
      if (read.kind === "ok" || this.#clock.monotonic() + waitMs > until) return read;
      await new Promise<void>((run) => this.#clock.after(waitMs, run));
      read = await ask();
    }
    return read;
  }

  async #bounded<T>(user: UserId, ask: () => Promise<T>): Promise<T | Refused> {
    return (await this.#calls.run(user, ask)) ?? BUSY;
  }
}

function valueOf<V, T>(read: Read<V>, toOutcome: (value: V) => T): T | Refused {
  return read.kind === "ok" ? toOutcome(read.value) : UNAVAILABLE;
}
