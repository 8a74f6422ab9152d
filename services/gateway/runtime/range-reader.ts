// RangeReader: reads a range of a room from the owner or from the archive.
//
// The owner has the unarchived events and a recent tail; the archive has everything older. Near the
// head it asks the owner first, further back the archive first. When the first one has nothing, it
// asks the other. Either may return only the beginning of the range.
//
//   range-reader.1. Resolves with a block that begins exactly at `first`, or with undefined. Never
//        rejects.
//   range-reader.2. Users take turns for the places, and no user and no partition gets all of them
//        (fair-line.ts). A read beyond the bounds of the line resolves with undefined.
//   range-reader.3. Two equal reads at the same time are one read.
//   range-reader.4. When a second user requests a waiting read, that read has a place in the line
//        of each of both users. It starts at the first of the two turns.

import type { ArchiveReader } from "#shared/ports/archive.ts";
import type { Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import type { PartitionMap } from "#shared/protocol/partition-map.ts";
import { RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import {
  READS_MAX,
  READS_PER_PARTITION_MAX,
  READS_PER_USER_MAX,
  READS_WAITING_MAX,
  READS_WAITING_PER_USER_MAX,
} from "../core/bounds.ts";
import { FairLine } from "../core/fair-line.ts";
import type { Lanes } from "./lanes.ts";

export interface RangeQuery {
  readonly room: RoomId;
  readonly first: Seq;
  readonly last: Seq;
  /** The head that the caller has. It decides which source is asked first. */
  readonly head: Seq;
}

interface Read {
  readonly query: RangeQuery;
  readonly block: Promise<Block | undefined>;
  readonly resolve: (block: Block | undefined) => void;
  isBegun: boolean;
}

export class RangeReader {
  readonly #lanes: Lanes;
  readonly #archive: ArchiveReader;
  readonly #map: PartitionMap;
  readonly #running = new Map<string, Read>();
  readonly #line = new FairLine<Partition>({
    places: READS_MAX,
    perGroup: READS_PER_PARTITION_MAX,
    perUser: READS_PER_USER_MAX,
    waiting: READS_WAITING_MAX,
    waitingPerUser: READS_WAITING_PER_USER_MAX,
  });

  constructor(lanes: Lanes, archive: ArchiveReader, map: PartitionMap) {
    this.#lanes = lanes;
    this.#archive = archive;
    this.#map = map;
  }

  /** Reads that wait for a place. */
  get waits(): number {
    return this.#line.waits;
  }

  /**
   * `user`: the user who needs the range; undefined for a gap of a room, which all members need.
   */
  read(query: RangeQuery, user: UserId | undefined): Promise<Block | undefined> {
    const key = `${query.room} ${query.first} ${query.last}`;
    const running = this.#running.get(key);
    if (running !== undefined) {
      if (!running.isBegun) this.#request(running, user); // range-reader.4
      return running.block; // range-reader.3
    }
    const { promise, resolve } = Promise.withResolvers<Block | undefined>();
    const read: Read = { query, block: promise, resolve, isBegun: false };
    if (!this.#request(read, user)) return Promise.resolve(undefined);
    this.#running.set(key, read);
    void promise.finally(() => this.#running.delete(key));
    return promise;
  }

  /** False: too many reads of this user, or of all users, wait (range-reader.2). */
  #request(read: Read, user: UserId | undefined): boolean {
    const { room } = read.query;
    const p = this.#map.partitionOf(room);
    // The prefix keeps users and rooms of the same name apart.
    const requester = user === undefined ? `#${room}` : `@${user}`;
    return this.#line.request(requester, p, () => {
      if (read.isBegun) return false;
      read.isBegun = true;
      void this.#read(read.query).then((block) => {
        read.resolve(block);
        this.#line.end(requester, p);
      });
      return true;
    });
  }

  async #read(query: RangeQuery): Promise<Block | undefined> {
    const isRecent = query.first > query.head - RANGE_EVENTS_MAX;
    if (isRecent) return (await this.#askOwner(query)) ?? (await this.#askArchive(query));
    return (await this.#askArchive(query)) ?? (await this.#askOwner(query));
  }

  #askOwner({ room, first, last }: RangeQuery): Promise<Block | undefined> {
    return new Promise((resolve) => {
      this.#lanes.submit({ op: "range", room, first, last }, ({ block }) => {
        resolve(block?.first === first ? block : undefined);
      });
    });
  }

  async #askArchive({ room, first, last }: RangeQuery): Promise<Block | undefined> {
    const p = this.#map.partitionOf(room);
    const read = await this.#archive.range(p, room, first, last);
    if (read.kind !== "ok") return undefined;
    const { lines } = read.value;
    if (lines.length === 0 || read.value.first !== first) return undefined;
    return { first, count: lines.length, bytes: Buffer.from(lines.join("\n")) };
  }
}
