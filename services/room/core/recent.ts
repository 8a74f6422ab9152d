// Recent: the lines of one room that its owner has at hand, and where the rest of the unarchived
// ones can be read.
//
// Owns: blocks of lines in order, each with the log sequence of its entry.
// Does not own: the archive (older lines), the log (lines whose text was given up), when memory is
// short (room-memory.ts).
//
//   recent.1. Blocks are contiguous and end at the room's head.
//   recent.2. Under memory pressure a block that is not archived gives up its text, and then names the log
//       entry that holds it. An archive outage costs disk, not memory.
//   recent.3. Archived blocks stay while they are among the last TAIL_EVENTS lines and memory allows it; they
//       are the first to be given up, all of a room together, and are read from the archive then.
//   recent.4. Under more pressure the places of the oldest unarchived blocks go as well: such lines are not at
//       hand until the archive has them.

import { assert } from "#shared/kit/assert.ts";
import { ownString } from "#shared/kit/own-string.ts";
import type { LogSeq, Seq } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { RecentBlock } from "./recent-block.ts";
import type { BlockOwner, BlockRun } from "./recent-block.ts";
import type { MemoryCategory, RoomMemory, Tail } from "./room-memory.ts";

/** Archived lines kept per room, so that a join finds its tail here. */
export const TAIL_EVENTS = 64;

export type RangeAnswer =
  | { readonly kind: "lines"; readonly first: Seq; readonly lines: readonly string[] }
  /** The text was given up: read this log entry and ask again with it. */
  | { readonly kind: "in-log"; readonly logSeq: LogSeq }
  /** Older than what is kept here: the archive has it. Or newer than the head. */
  | { readonly kind: "not-here" };

export class Recent implements Tail {
  readonly #memory: RoomMemory;
  readonly #owner: BlockOwner;
  #blocks: RecentBlock[] = [];
  #lines = 0;
  /** This many blocks at the front are archived. */
  #archived = 0;

  constructor(memory: RoomMemory, owner: BlockOwner) {
    this.#memory = memory;
    this.#owner = owner;
  }

  /** The newest lines, as the archive has them; before anything else is added. */
  addTail(first: Seq, lines: readonly string[]): void {
    const run = { first, lines: lines.map(ownString), logSeq: 0 };
    this.adopt(new RecentBlock(this.#owner, run, this.#memory, "tails"));
    this.#archived = 1;
    this.#memory.useTail(this);
  }

  /** Committed lines; `line` says where their memory is counted. */
  add(run: BlockRun, category: MemoryCategory = "unarchived"): RecentBlock {
    const block = new RecentBlock(this.#owner, run, this.#memory, category);
    this.adopt(block);
    return block;
  }

  /** A block that was another's until now. */
  adopt(block: RecentBlock): void {
    const newest = this.#blocks.at(-1);
    assert(newest === undefined || newest.last + 1 === block.first, "blocks are contiguous"); // recent.1
    block.owner = this.#owner;
    this.#blocks.push(block);
    this.#lines += block.count;
  }

  /** Takes all blocks out, for another to adopt or to drop. */
  takeAll(): readonly RecentBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#lines = this.#archived = 0;
    this.#memory.removeTail(this);
    return blocks;
  }

  /** Everything up to `archived` is archived; drops what is beyond the tail (recent.3). */
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

  /** Blocks that end at or below `seq` (recent.4). */
  forgetUpTo(seq: Seq): void {
    let drop = 0;
    while ((this.#blocks[drop]?.last ?? Infinity) <= seq) drop++;
    this.#drop(drop);
  }

  /** Gives everything back to the account; this object is not used afterwards. */
  clear(): void {
    for (const block of this.takeAll()) block.drop();
  }

  /** Lines from `first` on, at most up to `last` and the RANGE bounds. */
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

  /** The block that holds `seq`, by bisection; -1 when none does. */
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
