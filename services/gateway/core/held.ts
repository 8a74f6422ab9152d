// Held: blocks that came too early and wait, in order, until the hole before them is filled.
//
//   HD1. Bounded in blocks and bytes; when full, the newest numbers are dropped. They are read
//        again like any other hole, so a drop costs time and loses nothing.

import type { Seq } from "#shared/protocol/ids.ts";
import type { Block } from "#shared/protocol/lines.ts";
import { HELD_BLOCKS_MAX, HELD_BYTES_MAX } from "./bounds.ts";

export class Held {
  /** Ascending by first number; they may overlap. */
  #blocks: Block[] = [];
  #bytes = 0;

  /** Where the hole ends: the lowest number that is here. */
  get first(): Seq | undefined {
    return this.#blocks[0]?.first;
  }

  hold(block: Block): void {
    let at = this.#blocks.length;
    while (at > 0 && (this.#blocks[at - 1]?.first ?? 0) > block.first) at--;
    this.#blocks.splice(at, 0, block);
    this.#bytes += block.bytes.length;
    while (this.#blocks.length > HELD_BLOCKS_MAX || this.#bytes > HELD_BYTES_MAX) {
      this.#bytes -= this.#blocks.pop()?.bytes.length ?? 0; // HD1
    }
  }

  /** Takes out the lowest block if it begins at or below `seq`. */
  takeUpTo(seq: Seq): Block | undefined {
    const { first } = this;
    if (first === undefined || first > seq) return undefined;
    const block = this.#blocks.shift();
    this.#bytes -= block?.bytes.length ?? 0;
    return block;
  }
}
