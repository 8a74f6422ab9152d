// Recent: the lines of one room that its owner has at hand, and where the rest of the unarchived
// ones can be read.
//
// Owns: blocks of lines in order, each with the log sequence of its entry.
// Does not own: the archive (older lines), the log (lines whose text was given up).
//
//   T1. Blocks are contiguous and end at the room's head.
//   T2. A block that is not archived is never dropped; under memory pressure only its text is, and
//       then it names the log entry that holds it. An archive outage costs disk, not memory.
//   T3. Archived blocks stay while they are among the last TAIL_EVENTS lines.

import type { LogSeq, Seq } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";

/** Archived lines kept per room, so that a join finds its tail here. */
export const TAIL_EVENTS = 64;

/** Bytes of lines that all rooms of one process may hold, and hold now. */
export interface MemoryBudget {
  readonly bytesMax: number;
  bytes: number;
  /** Rooms of all partitions in memory, for whoever looks. */
  rooms?: number;
}

export interface RecentBlock {
  readonly first: Seq;
  readonly count: number;
  /** The entry that holds these lines; 0 when they came from the archive. */
  readonly logSeq: LogSeq;
  readonly bytes: number;
  /** Undefined: given up (T2). */
  lines: readonly string[] | undefined;
}

export type RangeAnswer =
  | { readonly kind: "lines"; readonly first: Seq; readonly lines: readonly string[] }
  /** The text was given up: read this log entry and ask again with it. */
  | { readonly kind: "in-log"; readonly logSeq: LogSeq }
  /** Older than what is kept here: the archive has it. Or newer than the head. */
  | { readonly kind: "not-here" };

export class Recent {
  readonly #budget: MemoryBudget;
  #blocks: RecentBlock[] = [];
  #lines = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  add(first: Seq, lines: readonly string[], logSeq: LogSeq): RecentBlock {
    let bytes = 0;
    for (const line of lines) bytes += line.length;
    const block: RecentBlock = { first, count: lines.length, logSeq, bytes, lines };
    this.#blocks.push(block);
    this.#lines += lines.length;
    this.#budget.bytes += bytes;
    return block;
  }

  /** Drops what is archived up to `archived` and beyond the tail (T3). */
  trim(archived: Seq): void {
    let drop = 0;
    for (const block of this.#blocks) {
      if (block.first + block.count - 1 > archived) break;
      if (this.#lines - block.count < TAIL_EVENTS) break;
      this.#lines -= block.count;
      this.giveUp(block);
      drop++;
    }
    if (drop > 0) this.#blocks = this.#blocks.slice(drop);
  }

  /** Drops a block's text and keeps its place (T2). */
  giveUp(block: RecentBlock): void {
    if (block.lines === undefined) return;
    block.lines = undefined;
    this.#budget.bytes -= block.bytes;
  }

  /** Gives everything back to the budget; this object is not used afterwards. */
  clear(): void {
    for (const block of this.#blocks) this.giveUp(block);
    this.#blocks = [];
  }

  /** Lines from `first` on, at most up to `last` and the RANGE bounds. */
  range(first: Seq, last: Seq): RangeAnswer {
    let index = this.#indexOf(first);
    const start = this.#blocks[index];
    if (start === undefined) return { kind: "not-here" };
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
