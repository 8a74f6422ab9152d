// Source: reads a range of a room from the owner or from the archive, whichever may have it.
//
// The owner has what is not archived yet and a recent tail; the archive has everything older. Near
// the head the owner is asked first, further back the archive; whoever answers empty-handed sends
// us to the other. Either may give the beginning of a range only (H2).
//
//   SR1. Resolves with a block that begins exactly at `first`, or with undefined; never rejects.
//   SR2. At most READS_MAX are under way; the others wait in line, in order.
//   SR3. The same question asked twice at the same time is asked once.

import type { ArchiveReader } from "#shared/ports/archive.ts";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { READS_MAX } from "../core/bounds.ts";
import type { Lanes } from "./lanes.ts";

export interface RangeQuery {
  readonly room: RoomId;
  readonly first: Seq;
  readonly last: Seq;
  /** The room's head as far as the asker knows; decides who is asked first. */
  readonly head: Seq;
}

export class Source {
  readonly #lanes: Lanes;
  readonly #archive: ArchiveReader;
  readonly #partitions: number;
  readonly #running = new Map<string, Promise<Block | undefined>>();
  readonly #line: (() => void)[] = [];
  #busy = 0;

  constructor(lanes: Lanes, archive: ArchiveReader, partitions: number) {
    this.#lanes = lanes;
    this.#archive = archive;
    this.#partitions = partitions;
  }

  read(query: RangeQuery): Promise<Block | undefined> {
    const key = `${query.room} ${query.first} ${query.last}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running; // SR3
    const reading = this.#readInTurn(query).finally(() => this.#running.delete(key));
    this.#running.set(key, reading);
    return reading;
  }

  async #readInTurn(query: RangeQuery): Promise<Block | undefined> {
    if (this.#busy < READS_MAX) this.#busy++;
    else await new Promise<void>((go) => this.#line.push(go)); // SR2
    try {
      const isRecent = query.first > query.head - RANGE_EVENTS_MAX;
      if (isRecent) return (await this.#askOwner(query)) ?? (await this.#askArchive(query));
      return (await this.#askArchive(query)) ?? (await this.#askOwner(query));
    } finally {
      // The place goes to the next in line, or is free again.
      const next = this.#line.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
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
