// Unarchived lines: what a partition has committed and the archive has not, in log order.
//
// Owns: the order of blocks by log sequence, so that a mark settles a prefix of it, and which of them
// give up their text or their place when the process holds too much: the oldest. Does not own: when
// that is (room-memory.ts), the blocks of a room (recent.ts).
//
//   U1. Blocks come in log order: first those of the replay, then those of the reign.
//   U2. The newest block keeps its text: whoever repairs a hole asks for it.

import type { LogSeq, Seq } from "#shared/protocol/ids.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import { PLACE_BYTES } from "./recent-block.ts";
import type { Backlog, RoomMemory } from "./room-memory.ts";

/** Settled blocks at the front of the list before it is cut. */
const SLACK = 1_024;

export class UnarchivedLines implements Backlog {
  readonly #memory: RoomMemory;
  #blocks: RecentBlock[] = [];
  /** Blocks before this index are settled. */
  #start = 0;
  /** Blocks before this index have given up their text. */
  #textless = 0;

  constructor(memory: RoomMemory) {
    this.#memory = memory;
    memory.addBacklog(this);
  }

  get size(): number {
    return this.#blocks.length - this.#start;
  }

  /** Looked at when memory is short, and not before. */
  get textBytes(): number {
    let bytes = 0;
    for (let i = Math.max(this.#textless, this.#start); i < this.#blocks.length; i++) {
      bytes += this.#blocks[i]?.textBytes ?? 0;
    }
    return bytes;
  }

  get placeBytes(): number {
    return this.size * PLACE_BYTES;
  }

  add(block: RecentBlock): void {
    this.#blocks.push(block);
  }

  giveUpTexts(bytes: number): void {
    this.#textless = Math.max(this.#textless, this.#start);
    for (let left = bytes; left > 0 && this.#textless < this.#blocks.length - 1;) {
      const block = this.#blocks[this.#textless++];
      if (block === undefined) return;
      left -= block.textBytes;
      block.giveUp();
    }
  }

  giveUpPlaces(bytes: number): void {
    const given = new Map<BlockOwner, Seq>();
    for (let left = bytes; left > 0 && this.size > 1;) {
      const block = this.#blocks[this.#start];
      if (block === undefined) break;
      left -= block.bytes;
      this.#start++;
      given.set(block.owner, block.last);
    }
    this.#cut();
    for (const [owner, last] of given) owner.forgetLines(last);
  }

  /** The rooms that entries up to `mark` belong to, each with its newest archived number. */
  archivedUpTo(mark: LogSeq): Map<BlockOwner, Seq> {
    const archived = new Map<BlockOwner, Seq>();
    for (;;) {
      const block = this.#blocks[this.#start];
      if (block === undefined || block.logSeq > mark) break;
      this.#start++;
      archived.set(block.owner, block.last);
    }
    this.#cut();
    return archived;
  }

  /** It is not used afterwards. */
  end(): void {
    this.#memory.removeBacklog(this);
  }

  #cut(): void {
    if (this.#start <= SLACK || this.#start * 2 <= this.#blocks.length) return;
    this.#blocks = this.#blocks.slice(this.#start);
    this.#textless = Math.max(0, this.#textless - this.#start);
    this.#start = 0;
  }
}
