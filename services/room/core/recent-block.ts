// Recent block: a run of one room's lines that its owner has at hand, or knows where to read.
//
// Owns: its text and what it costs. Does not own: which blocks a room keeps (recent.ts), whose text is
// given up first (unarchived.ts, room-memory.ts).
//
//   recent-block.1. It is counted in one line of the account from its making until it is dropped: its place all the
//        time, its text until that is given up.

import { stringBytes } from "#shared/kit/memory-account.ts";
import type { LogSeq, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { IdsToForget, MemoryCategory, RoomMemory } from "./room-memory.ts";

/** What a block costs beside its text: the object, its array of lines, its slots in two lists. */
export const PLACE_BYTES = 192;

/** The room that holds a block. */
export interface BlockOwner {
  readonly id: RoomId;
  /** The archive has everything up to `seq`. */
  onArchived(seq: Seq): void;
  /** The ids of lines up to `seq` are to be given up, if they are among `ids`: false when one is too young. */
  forgetIds(seq: Seq, ids: IdsToForget): boolean;
  /** The places of lines up to `seq` are to be given up. */
  forgetLines(seq: Seq): void;
}

export interface BlockRun {
  readonly first: Seq;
  readonly lines: readonly string[];
  /** The entry that holds these lines; 0 when they came from the archive. */
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

  /** Undefined: given up. */
  get lines(): readonly string[] | undefined {
    return this.#lines;
  }

  get textBytes(): number {
    return this.#textBytes;
  }

  get bytes(): number {
    return this.#isDropped ? 0 : PLACE_BYTES + this.#textBytes;
  }

  /** Drops the text and keeps the place. */
  giveUp(): void {
    this.#account.add(this.#category, -this.#textBytes);
    this.#textBytes = 0;
    this.#lines = undefined;
  }

  /** From now on it is counted in `line`. */
  move(category: MemoryCategory): void {
    const { bytes } = this;
    this.#account.add(this.#category, -bytes);
    this.#account.add(category, bytes);
    this.#category = category;
  }

  /** Gives everything back. A second call changes nothing. */
  drop(): void {
    this.giveUp();
    this.#account.add(this.#category, -this.bytes);
    this.#isDropped = true;
  }
}
