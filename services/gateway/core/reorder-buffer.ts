// ReorderBuffer: blocks that arrived before the gap in front of them was filled.
//
//   reorder-buffer.1. The blocks and bytes of one buffer and of the process are bounded. A full
//        buffer drops the newest numbers. They are fetched like any other gap, so a drop costs time
//        and loses nothing.
//   reorder-buffer.2. Its blocks own their memory (ring.3).

import type { Seq } from "#shared/protocol/ids.ts";
import { blockCost, ownBlock } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { REORDER_BLOCKS_MAX, REORDER_BYTES_MAX, REORDER_TOTAL_BYTES_MAX } from "./bounds.ts";
import { SharedBound } from "./shared-bound.ts";

export class ReorderBuffer {
  /** Ascending by first number. Blocks may overlap. */
  #blocks: Block[] = [];
  #bytes = 0;
  readonly #total: SharedBound;

  /** `total`: the bytes of all buffers of the process. */
  constructor(total = new SharedBound(REORDER_TOTAL_BYTES_MAX)) {
    this.#total = total;
  }

  /** The lowest number in the buffer: the gap ends before it. */
  get first(): Seq | undefined {
    return this.#blocks[0]?.first;
  }

  /** Memory of its blocks. */
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

  /** Removes the lowest block if it begins at or below `seq`. */
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
