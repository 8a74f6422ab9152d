// Ring: the newest lines of one room as contiguous blocks.
//
// Owns: the blocks and their total size. Does not own: other sources of lines.
//
//   ring.1. Blocks are contiguous: each one begins right after the one before.
//   ring.2. The bytes never exceed `bytesMax`, unless one block alone does. The oldest block goes
//        first.
//   ring.3. Its blocks own their memory, and `bytes` is its size. Arriving lines are views of the
//        bus's read buffer (up to 64 KiB) or of a longer block; `slice` of a Buffer is a view too.
//   ring.4. `read` returns a run that begins exactly at `from`, or nothing. A run never has a gap.

import { assert } from "#shared/kit/assert.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { blockAbove, blockCost, blockLast, blockUpTo, ownBlock } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";

export class Ring {
  readonly #bytesMax: number;
  /**
   * The oldest first. A block costs at least 512 bytes, so 1 MiB has at most 2,048 and `shift` is
   * cheap.
   */
  readonly #blocks: Block[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest number; undefined when empty. */
  get first(): Seq | undefined {
    return this.#blocks[0]?.first;
  }

  get last(): Seq | undefined {
    const block = this.#blocks.at(-1);
    return block && blockLast(block);
  }

  push(block: Block): void {
    const { last } = this;
    assert(last === undefined || block.first === last + 1, "a ring has no gap"); // ring.1
    const own = ownBlock(block); // ring.3
    this.#blocks.push(own);
    this.#bytes += blockCost(own);
    while (this.#bytes > this.#bytesMax && this.#blocks.length > 1) this.#evict(); // ring.2
  }

  /** Adds older lines in front if they fit. True: added. */
  prepend(block: Block): boolean {
    if (blockLast(block) + 1 !== this.first) return false;
    const cost = blockCost(block);
    if (this.#bytes + cost > this.#bytesMax) return false;
    this.#blocks.unshift(ownBlock(block)); // ring.3
    this.#bytes += cost;
    return true;
  }

  /** Replaces the blocks that `replace` changes, without another count of lines. */
  rewrite(replace: (block: Block) => Block): void {
    for (const [i, block] of this.#blocks.entries()) {
      const other = replace(block);
      if (other === block) continue;
      const own = ownBlock(other); // ring.3
      this.#blocks[i] = own;
      this.#bytes += blockCost(own) - blockCost(block);
    }
  }

  /** Drops whole blocks that end at or below `seq`. */
  forget(seq: Seq): void {
    for (;;) {
      const [block] = this.#blocks;
      if (block === undefined || blockLast(block) > seq) return;
      this.#evict();
    }
  }

  /** A run from exactly `from` to at most `to`: about `bytesMax` bytes, at least one block. */
  read(from: Seq, to: Seq, bytesMax: number): Block[] {
    const run: Block[] = [];
    let bytes = 0;
    for (let i = this.#indexOf(from); ; i++) {
      const block = this.#blocks[i];
      const above = block && blockAbove(block, from - 1);
      const part = above && blockUpTo(above, to);
      if (part === undefined) return run;
      bytes += part.bytes.length;
      if (run.length > 0 && bytes > bytesMax) return run;
      run.push(part);
    }
  }

  /** The index of the block that contains `seq`; -1 when none does. */
  #indexOf(seq: Seq): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle];
      if (block === undefined) return -1;
      if (seq < block.first) high = middle - 1;
      else if (seq > blockLast(block)) low = middle + 1;
      else return middle;
    }
    return -1;
  }

  #evict(): void {
    const block = this.#blocks.shift();
    if (block !== undefined) this.#bytes -= blockCost(block);
  }
}
