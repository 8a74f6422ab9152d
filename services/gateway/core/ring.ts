// Ring: the newest lines of one room as blocks without a hole between them.
//
// Owns: the blocks and their total size. Does not own: where else lines can be had.
//
//   RG1. Blocks are contiguous: each begins right after the one before.
//   RG2. Bytes never exceed `bytesMax` unless one block alone does; the oldest block goes first.
//   RG4. Its blocks own their memory, and `bytes` is what they cost. Lines come as views of what the bus has
//        read, up to 64 KiB, or of a longer block; `slice` of a Buffer is a view as well.
//   RG3. `read` gives a run that begins exactly at `from`, or nothing; never a hole.

import { assert } from "#shared/kit/assert.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { blockAbove, blockCost, blockLast, blockUpTo, ownBlock } from "#shared/protocol/lines.ts";
import type { Block } from "#shared/protocol/lines.ts";

/** Evicted places at the front of the array before it is compacted. */
const SLACK = 1_024;

export class Ring {
  readonly #bytesMax: number;
  #blocks: Block[] = [];
  /** Index of the oldest block; those before it are gone. */
  #start = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The oldest number here; undefined when empty. */
  get first(): Seq | undefined {
    return this.#blocks[this.#start]?.first;
  }

  get last(): Seq | undefined {
    const block = this.#blocks.at(-1);
    return block === undefined ? undefined : blockLast(block);
  }

  push(block: Block): void {
    const { last } = this;
    assert(last === undefined || block.first === last + 1, "a ring has no holes"); // RG1
    const own = ownBlock(block); // RG4
    this.#blocks.push(own);
    this.#bytes += blockCost(own);
    while (this.#bytes > this.#bytesMax && this.#blocks.length - this.#start > 1) this.#evict(); // RG2
  }

  /** Takes older lines in front, if they fit; says whether it did. */
  prepend(block: Block): boolean {
    const { first } = this;
    if (first === undefined || blockLast(block) + 1 !== first) return false;
    const cost = blockCost(block);
    if (this.#bytes + cost > this.#bytesMax) return false;
    this.#compact();
    this.#blocks.unshift(ownBlock(block)); // RG4
    this.#bytes += cost;
    return true;
  }

  /** Forgets whole blocks that end at or below `seq`. */
  forget(seq: Seq): void {
    for (;;) {
      const block = this.#blocks[this.#start];
      if (block === undefined || blockLast(block) > seq) return;
      this.#evict();
    }
  }

  /** A run from exactly `from` to at most `to`; about `bytesMax` bytes, at least one block. */
  read(from: Seq, to: Seq, bytesMax: number): Block[] {
    const run: Block[] = [];
    let bytes = 0;
    for (let i = this.#indexOf(from); i >= 0 && i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      if (block === undefined || block.first > to) break;
      const above = blockAbove(block, from - 1);
      const part = above === undefined ? undefined : blockUpTo(above, to);
      if (part === undefined) break;
      if (run.length > 0 && bytes + part.bytes.length > bytesMax) break;
      run.push(part);
      bytes += part.bytes.length;
    }
    return run;
  }

  /** The index of the block that holds `seq`; -1 when none does. */
  #indexOf(seq: Seq): number {
    let low = this.#start;
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
    const block = this.#blocks[this.#start];
    if (block === undefined) return;
    this.#bytes -= blockCost(block);
    // An empty block in its place lets the bytes go before the array is compacted.
    this.#blocks[this.#start] = { first: 0, count: 0, bytes: EMPTY };
    this.#start++;
    if (this.#start === this.#blocks.length || this.#start > SLACK) this.#compact();
  }

  #compact(): void {
    this.#blocks = this.#blocks.slice(this.#start);
    this.#start = 0;
  }
}

const EMPTY = new Uint8Array(0);
