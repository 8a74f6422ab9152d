// Recent: the lines of one room in the memory of its owner, and the log entries of its other
// unarchived lines.
//
// Owns: blocks of lines in order, each with the log sequence of its entry. Does not own: older
// lines (the archive), texts that were dropped (the log), when memory is short (room-memory.ts).
//
//   recent.1. Blocks are contiguous and end at the room's head.
//   recent.2. Under memory pressure an unarchived block drops its texts and keeps the log sequence
//       of its entry. So an archive outage costs disk and not memory.
//   recent.3. Archived blocks stay while they belong to the last TAIL_EVENTS lines and memory
//       permits it. They are dropped first, all blocks of a room together, and the archive serves
//       them afterwards.
//   recent.4. Under more pressure the oldest unarchived blocks lose their places too. Their lines
//       are not readable until the archive has them.

import { assert } from "#shared/kit/assert.ts";
import { ownString } from "#shared/kit/own-string.ts";
import type { LogSeq, Seq } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { RecentBlock } from "./recent-block.ts";
import type { BlockOwner, BlockRun } from "./recent-block.ts";
import type { MemoryCategory, RoomMemory, Tail } from "./room-memory.ts";

/** The number of archived lines that are kept per room, so that a join finds its tail in memory. */
export const TAIL_EVENTS = 64;

export type RangeAnswer =
  | { readonly kind: "lines"; readonly first: Seq; readonly lines: readonly string[] }
  /** The texts were dropped: the caller reads this log entry. */
  | { readonly kind: "in-log"; readonly logSeq: LogSeq }
  /** Older than the blocks (the archive has it), or newer than the head. */
  | { readonly kind: "not-here" };

export class Recent implements Tail {
  readonly #memory: RoomMemory;
  readonly #owner: BlockOwner;
  #blocks: RecentBlock[] = [];
  #lines = 0;
  /** The number of archived blocks, which are at the front. */
  #archived = 0;

  constructor(memory: RoomMemory, owner: BlockOwner) {
    this.#memory = memory;
    this.#owner = owner;
  }

  /** The oldest line with a place here; undefined when there is none. */
  get first(): Seq | undefined {
    return this.#blocks[0]?.first;
  }

  /** Replaces the text of the line `seq`, if it is here. */
  rewrite(seq: Seq, textOf: (line: string) => string): void {
    this.#blocks[this.#indexOf(seq)]?.rewrite(seq, textOf);
  }

  /** Adds the newest lines from the archive, before any other block. */
  addTail(first: Seq, lines: readonly string[]): void {
    const run = { first, lines: lines.map(ownString), logSeq: 0 };
    this.adopt(new RecentBlock(this.#owner, run, this.#memory, "tails"));
    this.#archived = 1;
    this.#memory.useTail(this);
  }

  /** Adds committed lines. Their memory is counted in `category`. */
  add(run: BlockRun, category: MemoryCategory = "unarchived"): RecentBlock {
    const block = new RecentBlock(this.#owner, run, this.#memory, category);
    this.adopt(block);
    return block;
  }

  /** Takes over a block of another owner. */
  adopt(block: RecentBlock): void {
    const newest = this.#blocks.at(-1);
    // recent.1
    assert(newest === undefined || newest.last + 1 === block.first, "blocks are contiguous");
    block.owner = this.#owner;
    this.#blocks.push(block);
    this.#lines += block.count;
  }

  /** Removes and returns all blocks. The caller adopts or drops them. */
  takeAll(): readonly RecentBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#lines = this.#archived = 0;
    this.#memory.removeTail(this);
    return blocks;
  }

  /**
   * The archive has all events up to `archived`. Drops the archived blocks beyond the tail
   * (recent.3).
   */
  trim(archived: Seq): void {
    for (;;) {
      const block = this.#blocks[this.#archived];
      if (block === undefined || block.last > archived) break;
      block.move("tails");
      this.#archived++;
    }
    let lines = this.#lines;
    let drop = 0;
    for (; drop < this.#archived; drop++) {
      lines -= this.#blocks[drop]?.count ?? 0;
      if (lines < TAIL_EVENTS) break;
    }
    this.#drop(drop);
    if (this.#archived > 0) this.#memory.useTail(this);
  }

  /** recent.3. */
  giveUpTail(): void {
    this.#drop(this.#archived);
  }

  /** Drops the blocks that end at or below `seq` (recent.4). */
  forgetUpTo(seq: Seq): void {
    let drop = 0;
    while ((this.#blocks[drop]?.last ?? Infinity) <= seq) drop++;
    this.#drop(drop);
  }

  /** Gives all memory back. The object is not used afterwards. */
  clear(): void {
    for (const block of this.takeAll()) block.drop();
  }

  /** Lines from `first` on, at most up to `last` and within the RANGE bounds. */
  range(first: Seq, last: Seq): RangeAnswer {
    let index = this.#indexOf(first);
    const start = this.#blocks[index];
    if (start === undefined) return { kind: "not-here" };
    if (this.#archived > 0) this.#memory.useTail(this);
    if (start.lines === undefined) {
      return start.logSeq > 0 ? { kind: "in-log", logSeq: start.logSeq } : { kind: "not-here" };
    }
    const lines: string[] = [];
    let bytes = 0;
    for (let block = this.#blocks[index]; block?.lines !== undefined;) {
      for (let i = Math.max(0, first - block.first); i < block.count; i++) {
        const line = block.lines[i];
        if (line === undefined || block.first + i > last) return { kind: "lines", first, lines };
        bytes += line.length * 2;
        if (lines.length >= RANGE_EVENTS_MAX || (bytes > RANGE_BYTES_MAX && lines.length > 0)) {
          return { kind: "lines", first, lines };
        }
        lines.push(line);
      }
      block = this.#blocks[++index];
    }
    return { kind: "lines", first, lines };
  }

  #drop(count: number): void {
    if (count === 0) return;
    for (const block of this.#blocks.slice(0, count)) {
      this.#lines -= block.count;
      block.drop();
    }
    this.#blocks = this.#blocks.slice(count);
    this.#archived = Math.max(0, this.#archived - count);
    if (this.#archived === 0) this.#memory.removeTail(this);
  }

  /** The index of the block with `seq`, by bisection; -1 when there is none. */
  #indexOf(seq: Seq): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle];
      if (block === undefined) return -1;
      if (seq < block.first) high = middle - 1;
      else if (seq >= block.first + block.count) low = middle + 1;
      else return middle;
    }
    return -1;
  }
}
