// Held: blocks that came too early and wait, in order, until the hole before them is filled.
//
//   reorder-buffer.1. Bounded in blocks and bytes, its own and those of the process; when full, the newest numbers are dropped. They are read
//        again like any other hole, so a drop costs time and loses nothing.
//   reorder-buffer.2. Its blocks own their memory (ring.3 of ring.ts).

import type { Seq } from "#shared/protocol/ids.ts";
import { blockCost, ownBlock } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { REORDER_BLOCKS_MAX, REORDER_BYTES_MAX, REORDER_TOTAL_BYTES_MAX } from "./bounds.ts";
import { SharedBound } from "./shared-bound.ts";

export class ReorderBuffer {
  /** Ascending by first number; they may overlap. */
  #blocks: Block[] = [];
  #bytes = 0;
  readonly #total: SharedBound;

  /** `total`: what all of the process hold. */
  constructor(total = new SharedBound(REORDER_TOTAL_BYTES_MAX)) {
    this.#total = total;
  }

  /** Where the hole ends: the lowest number that is here. */
  get first(): Seq | undefined {
    return this.#blocks[0]?.first;
  }

  /** Bytes that its blocks cost. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(block: Block): void {
    let at = this.#blocks.length;
    while ((this.#blocks[at - 1]?.first ?? 0) > block.first) at--;
    const own = ownBlock(block); // reorder-buffer.2
    this.#blocks.splice(at, 0, own);
    this.#add(blockCost(own));
    while (
      this.#blocks.length > REORDER_BLOCKS_MAX ||
      this.#bytes > REORDER_BYTES_MAX ||
      (this.#total.isFull && this.#blocks.length > 0)
    ) {
      this.#add(-costOf(this.#blocks.pop())); // reorder-buffer.1
    }
  }

  /** Takes out the lowest block if it begins at or below `seq`. */
  takeUpTo(seq: Seq): Block | undefined {
    if ((this.first ?? Infinity) > seq) return undefined;
    const block = this.#blocks.shift();
    this.#add(-costOf(block));
    return block;
  }

  clear(): void {
    this.#blocks = [];
    this.#add(-this.#bytes);
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    this.#total.add(bytes);
  }
}

function costOf(block: Block | undefined): number {
  return block === undefined ? 0 : blockCost(block);
}
