// RangeReader: reads a range of a room from the owner or from the archive, whichever may have it.
//
// The owner has what is not archived yet and a recent tail; the archive has everything older. Near
// the head the owner is asked first, further back the archive; whoever answers empty-handed sends
// us to the other. Either may give the beginning of a range only (H2).
//
//   range-reader.1. Resolves with a block that begins exactly at `first`, or with undefined; never rejects.
//   range-reader.2. Users take turns for the places, and no user and no partition has all of them (fair-line.ts).
//        What is beyond the bounds of the line is answered like a read that brought nothing.
//   range-reader.3. The same question asked twice at the same time is asked once.
//   range-reader.4. Who asks what another user waits for waits in their own line, too: the first turn counts.

import type { ArchiveReader } from "#shared/ports/archive.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { Partition, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
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
  /** The room's head as far as the asker knows; decides who is asked first. */
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
  readonly #partitions: number;
  readonly #running = new Map<string, Read>();
  readonly #line = new FairLine<Partition>({
    places: READS_MAX,
    perGroup: READS_PER_PARTITION_MAX,
    perUser: READS_PER_USER_MAX,
    waiting: READS_WAITING_MAX,
    waitingPerUser: READS_WAITING_PER_USER_MAX,
  });

  constructor(lanes: Lanes, archive: ArchiveReader, partitions: number) {
    this.#lanes = lanes;
    this.#archive = archive;
    this.#partitions = partitions;
  }

  /** Reads that wait for a place. */
  get waits(): number {
    return this.#line.waits;
  }

  /** `user`: who wants it; undefined for a hole of a room, for which all its members wait. */
  read(query: RangeQuery, user: UserId | undefined): Promise<Block | undefined> {
    const key = `${query.room} ${query.first} ${query.last}`;
    const running = this.#running.get(key);
    if (running !== undefined) {
      if (!running.isBegun) this.#want(running, user); // range-reader.4
      return running.block; // range-reader.3
    }
    const { promise, resolve } = Promise.withResolvers<Block | undefined>();
    const read: Read = { query, block: promise, resolve, isBegun: false };
    if (!this.#want(read, user)) return Promise.resolve(undefined);
    this.#running.set(key, read);
    void promise.finally(() => this.#running.delete(key));
    return promise;
  }

  /** False when too many reads wait, of this user or of all (range-reader.2). */
  #want(read: Read, user: UserId | undefined): boolean {
    const { room } = read.query;
    const p = partitionOf(room, this.#partitions);
    // A user's name never equals a room's: the mark in front tells them apart.
    const who = user === undefined ? `#${room}` : `@${user}`;
    return this.#line.want(who, p, () => {
      if (read.isBegun) return false;
      read.isBegun = true;
      void this.#read(read.query).then((block) => {
        read.resolve(block);
        this.#line.end(who, p);
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
    const p = partitionOf(room, this.#partitions);
    const read = await this.#archive.range(p, room, first, last);
    if (read.kind !== "ok") return undefined;
    const { lines } = read.value;
    if (lines.length === 0 || read.value.first !== first) return undefined;
    return { first, count: lines.length, bytes: Buffer.from(lines.join("\n")) };
  }
}
