// Unarchived lines: what a partition has committed and the archive has not, in log order.
//
// Owns: the order of blocks by log sequence, so that a mark settles a prefix of it, and the choice
// of whose text is given up when the process holds too much (oldest first, T2 of recent.ts).

import type { LogSeq, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { MemoryBudget, RecentBlock } from "./recent.ts";

interface Item {
  readonly room: RoomId;
  readonly block: RecentBlock;
}

export class UnarchivedLines {
  readonly #budget: MemoryBudget;
  #items: Item[] = [];
  /** Items before this index are settled; the array is cut now and then. */
  #start = 0;
  /** Items before this index have given up their text. */
  #givenUp = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  get size(): number {
    return this.#items.length - this.#start;
  }

  add(room: RoomId, block: RecentBlock): void {
    this.#items.push({ room, block });
    this.#givenUp = Math.max(this.#givenUp, this.#start);
    while (this.#budget.bytes > this.#budget.bytesMax && this.#givenUp < this.#items.length - 1) {
      const oldest = this.#items[this.#givenUp++];
      if (oldest?.block.lines === undefined) continue;
      oldest.block.lines = undefined;
      this.#budget.bytes -= oldest.block.bytes;
    }
  }

  /** The rooms that entries up to `mark` belong to, each with its newest archived number. */
  archivedUpTo(mark: LogSeq): Map<RoomId, Seq> {
    const archived = new Map<RoomId, Seq>();
    for (; this.#start < this.#items.length; this.#start++) {
      const item = this.#items[this.#start];
      if (item === undefined || item.block.logSeq > mark) break;
      archived.set(item.room, item.block.first + item.block.count - 1);
    }
    if (this.#start > 1_024 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#givenUp = Math.max(0, this.#givenUp - this.#start);
      this.#start = 0;
    }
    return archived;
  }
}
