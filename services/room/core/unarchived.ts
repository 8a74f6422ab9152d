// Unarchived lines: the committed blocks of one partition that the archive does not have, in log
// order.
//
// Owns: the order of blocks by log sequence, so that a watermark settles a prefix, and the dropping
// of the oldest texts, ids and places. Does not own: when memory is short (room-memory.ts), the
// blocks of a room (recent.ts).
//
//   unarchived.1. Blocks are in log order: first those of the replay, then those of the tenure.
//   unarchived.2. The newest block keeps its texts, because gap repairs ask for it most.
//   unarchived.3. A block whose place was dropped is not in the list any more. Its room still has
//        its ids, and is asked to drop them like those of the blocks in the list.

import type { LogSeq, Seq } from "#shared/protocol/ids.ts";
import type { BlockOwner, RecentBlock } from "./recent-block.ts";
import type { Backlog, IdsKind, IdsToForget, RoomMemory } from "./room-memory.ts";

/** Settled blocks at the front of the list before it is cut. */
const SLACK = 1_024;
/** The number of blocks in the first run whose ids are dropped together. */
const FIRST_RUN = 16;

interface Placeless {
  readonly last: Seq;
  readonly logSeq: LogSeq;
  /** The kinds of ids that its room dropped up to `last`. */
  readonly idless: Set<IdsKind>;
}

export class UnarchivedLines implements Backlog {
  readonly #memory: RoomMemory;
  #blocks: RecentBlock[] = [];
  /** Blocks before this index are settled. */
  #start = 0;
  /** Blocks before this index have dropped their texts. */
  #textless = 0;
  /** Blocks before this index have dropped their ids of this kind. */
  readonly #idless = new Map<IdsKind, number>();

  /** The newest line of each room whose place was dropped, until it is archived. */
  readonly #placeless = new Map<BlockOwner, Placeless>();

  constructor(memory: RoomMemory) {
    this.#memory = memory;
    memory.addBacklog(this);
  }

  get size(): number {
    return this.#blocks.length - this.#start;
  }

  add(block: RecentBlock): void {
    this.#blocks.push(block);
  }

  giveUpTexts(isEnough: () => boolean): void {
    this.#textless = Math.max(this.#textless, this.#start);
    while (this.#textless < this.#blocks.length - 1 && !isEnough()) {
      this.#blocks[this.#textless++]?.giveUp();
    }
  }

  giveUpIds(kind: IdsKind, ids: IdsToForget, isEnough: () => boolean): void {
    for (const [owner, { last, idless }] of this.#placeless) {
      if (isEnough()) return;
      if (!idless.has(kind) && owner.forgetIds(last, ids)) idless.add(kind); // unarchived.3
    }
    let next = Math.max(this.#idless.get(kind) ?? 0, this.#start);
    // A room examines its ids once per run, and runs double, so no room does it often.
    for (let run = FIRST_RUN; next < this.#blocks.length && !isEnough(); run *= 2) {
      const newest = new Map<BlockOwner, Seq>();
      for (const { owner, last } of this.#blocks.slice(next, next + run)) newest.set(owner, last);
      let isDone = true;
      for (const [owner, last] of newest) isDone = owner.forgetIds(last, ids) && isDone;
      if (!isDone) break; // All later ids are even younger.
      next = Math.min(next + run, this.#blocks.length);
    }
    this.#idless.set(kind, next);
  }

  giveUpPlaces(isEnough: () => boolean): void {
    const dropped = new Map<BlockOwner, Seq>();
    while (this.size > 1 && !isEnough()) {
      const block = this.#blocks[this.#start++];
      if (block === undefined) break;
      block.drop();
      dropped.set(block.owner, block.last);
      const { last, logSeq } = block;
      this.#placeless.set(block.owner, { last, logSeq, idless: new Set() });
    }
    this.#cut();
    for (const [owner, last] of dropped) owner.forgetLines(last);
  }

  /** The rooms with entries up to `watermark`, each with its newest archived sequence number. */
  archivedUpTo(watermark: LogSeq): Map<BlockOwner, Seq> {
    const archived = new Map<BlockOwner, Seq>();
    for (const [owner, { last, logSeq }] of this.#placeless) {
      if (logSeq > watermark) continue;
      archived.set(owner, last);
      this.#placeless.delete(owner);
    }
    for (;;) {
      const block = this.#blocks[this.#start];
      if (block === undefined || block.logSeq > watermark) break;
      this.#start++;
      archived.set(block.owner, block.last);
    }
    this.#cut();
    return archived;
  }

  /** The object is not used afterwards. */
  end(): void {
    this.#memory.removeBacklog(this);
  }

  #cut(): void {
    if (this.#start <= SLACK || this.#start * 2 <= this.#blocks.length) return;
    this.#blocks = this.#blocks.slice(this.#start);
    this.#textless = Math.max(0, this.#textless - this.#start);
    for (const [kind, next] of this.#idless) {
      this.#idless.set(kind, Math.max(0, next - this.#start));
    }
    this.#start = 0;
  }
}
