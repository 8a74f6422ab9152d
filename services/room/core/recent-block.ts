// Recent block: consecutive lines of one room that one log entry holds, in the memory of the owner.
//
// Owns: the texts, and the memory of the block. Its place (log sequence and sequence numbers) stays
// when the texts are dropped. Does not own: which blocks a room keeps (recent.ts), whose texts are
// dropped first (unarchived.ts, room-memory.ts).
//
//   recent-block.1. A block is counted in one category of the memory account until it is dropped:
//       its place the whole time, its texts until they are dropped.

import { stringBytes } from "#shared/kit/memory-account.ts";
import type { LogSeq, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { IdsToForget, MemoryCategory, RoomMemory } from "./room-memory.ts";

/**
 * The memory of a block without its texts: the object, its array of lines, its slots in two lists.
 */
export const PLACE_BYTES = 192;

/** The room that holds a block. */
export interface BlockOwner {
  readonly id: RoomId;
  /** The archive has all events up to `seq`. */
  onArchived(seq: Seq): void;
  /**
   * Forgets the ids of lines up to `seq` that are among `ids`. Returns false when an id is too
   * young.
   */
  forgetIds(seq: Seq, ids: IdsToForget): boolean;
  /** Drops the places of lines up to `seq`. */
  forgetLines(seq: Seq): void;
}

export interface BlockRun {
  readonly first: Seq;
  readonly lines: readonly string[];
  /** The log entry with these lines; 0 when they came from the archive. */
  readonly logSeq: LogSeq;
}

export class RecentBlock {
  readonly first: Seq;
  readonly count: number;
  readonly logSeq: LogSeq;
  owner: BlockOwner;
  readonly #account: RoomMemory["account"];
  #lines: readonly string[] | undefined;
  #textBytes = 0;
  #category: MemoryCategory;
  #isDropped = false;

  constructor(owner: BlockOwner, run: BlockRun, memory: RoomMemory, category: MemoryCategory) {
    this.owner = owner;
    this.first = run.first;
    this.count = run.lines.length;
    this.logSeq = run.logSeq;
    this.#account = memory.account;
    this.#category = category;
    this.#lines = run.lines;
    for (const text of run.lines) this.#textBytes += stringBytes(text);
    this.#account.add(category, this.bytes);
  }

  get last(): Seq {
    return this.first + this.count - 1;
  }

  /** Undefined when the texts were dropped. */
  get lines(): readonly string[] | undefined {
    return this.#lines;
  }

  get textBytes(): number {
    return this.#textBytes;
  }

  get bytes(): number {
    return this.#isDropped ? 0 : PLACE_BYTES + this.#textBytes;
  }

  /** Replaces the text of the line `seq`, if the texts are here. */
  rewrite(seq: Seq, textOf: (line: string) => string): void {
    const index = seq - this.first;
    const line = this.#lines?.[index];
    if (this.#lines === undefined || line === undefined) return;
    const text = textOf(line);
    this.#lines = this.#lines.with(index, text);
    const bytes = stringBytes(text) - stringBytes(line);
    this.#textBytes += bytes;
    this.#account.add(this.#category, bytes);
  }

  /** Drops the texts and keeps the place. */
  giveUp(): void {
    this.#account.add(this.#category, -this.#textBytes);
    this.#textBytes = 0;
    this.#lines = undefined;
  }

  /** Counts the block in another category from now on. */
  move(category: MemoryCategory): void {
    const { bytes } = this;
    this.#account.add(this.#category, -bytes);
    this.#account.add(category, bytes);
    this.#category = category;
  }

  /** Gives all memory back. A second call changes nothing. */
  drop(): void {
    this.giveUp();
    this.#account.add(this.#category, -this.bytes);
    this.#isDropped = true;
  }
}
