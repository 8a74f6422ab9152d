// Room memory: what all rooms of one room node hold, against one bound, and what is given up first.
//
// Owns: the account, the order of shedding, and the lists of what can be given up. Does not own: how a
// holder gives it up (recent.ts, unarchived.ts).
//
// Lines of the account:
//   replay      committed lines that a claim has read from the log, of rooms that are not loaded
//   tails       archived lines, kept so that a join finds them here
//   unarchived  committed lines that the archive does not have
//   window      lines and replies that wait for an append, or for its answer
//
//   RM1. Above the bound it sheds until LOW_WATER of it, in this order: archived tails, the least
//        recently used room first (the archive has them); texts of unarchived lines, the oldest of the
//        partition that holds most of them (the log has them); places of those lines, likewise (they
//        can be read again when they are archived).
//   RM2. What is left cannot be given up: while that exceeds the bound, sends are refused (`busy`).

import { MemoryAccount } from "#shared/kit/memory-account.ts";

export const ROOM_LINES = ["replay", "tails", "unarchived", "window"] as const;
export type RoomLine = (typeof ROOM_LINES)[number];

/** Shedding ends below this share of the bound, so that it does not begin again with the next line. */
const LOW_WATER = 15 / 16;

/** The archived lines of one room. */
export interface Tail {
  giveUpTail(): void;
}

/** The unarchived lines of one partition. */
export interface Backlog {
  /** Bytes that `give` can free. */
  readonly textBytes: number;
  readonly placeBytes: number;
  /** Gives up the oldest, until `bytes` are free or there is no more. */
  giveUpTexts(bytes: number): void;
  giveUpPlaces(bytes: number): void;
}

export class RoomMemory {
  readonly account: MemoryAccount<RoomLine>;
  /** Rooms of all partitions in memory. For metrics. */
  rooms = 0;
  /** The least recently used first. */
  readonly #tails = new Set<Tail>();
  readonly #backlogs = new Set<Backlog>();

  constructor(bytesMax: number) {
    this.account = new MemoryAccount(ROOM_LINES, bytesMax);
  }

  /** RM2. */
  get isFull(): boolean {
    this.shed();
    return this.account.over > 0;
  }

  /** `tail` has archived lines, and was used now. */
  useTail(tail: Tail): void {
    this.#tails.delete(tail);
    this.#tails.add(tail);
  }

  /** It has none any more. */
  removeTail(tail: Tail): void {
    this.#tails.delete(tail);
  }

  addBacklog(backlog: Backlog): void {
    this.#backlogs.add(backlog);
  }

  removeBacklog(backlog: Backlog): void {
    this.#backlogs.delete(backlog);
  }

  /** RM1. Costs one comparison while the bound is kept. */
  shed(): void {
    if (this.account.over === 0) return;
    for (const tail of this.#tails) {
      if (this.#excess <= 0) return;
      this.#tails.delete(tail);
      tail.giveUpTail();
    }
    this.#shedBacklogs("textBytes", (backlog) => backlog.giveUpTexts(this.#excess));
    this.#shedBacklogs("placeBytes", (backlog) => backlog.giveUpPlaces(this.#excess));
  }

  get #excess(): number {
    return this.account.used - this.account.bytesMax * LOW_WATER;
  }

  /** The largest first. Each is asked once, so this ends. */
  #shedBacklogs(by: "textBytes" | "placeBytes", giveUp: (backlog: Backlog) => void): void {
    if (this.#excess <= 0) return;
    for (const backlog of [...this.#backlogs].sort((a, b) => b[by] - a[by])) {
      if (this.#excess <= 0) return;
      giveUp(backlog);
    }
  }
}
