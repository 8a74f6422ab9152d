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
//   ids         message ids that are recognised without the archive
//   waiting     commands that wait until their room is loaded
//   rooms       rooms themselves, loaded or not
//   presence    who is in which room
//
//   room-memory.1. Above the bound it sheds until LOW_WATER of it, in this order:
//        1. archived tails, the least recently used room first: the archive has them;
//        2. texts of unarchived lines, the oldest of the partition that has most of them: the log has them;
//        3. archived ids, those older than TAKE_OVER_IDS_MS first: they cost a look-up;
//        4. unarchived ids older than that: a send with one gets `unavailable` until it is archived;
//        5. places of unarchived lines: they can be read when they are archived;
//        6. all other ids, those from the future last: they raise the floors of their senders (dedupe.ts).
//   room-memory.2. What is left cannot be given up: while that exceeds the bound, sends and commands that would wait are
//        refused (`busy`).
//   room-memory.3. Ids of archived messages are kept for DEDUPE_WINDOW_MS; only for TAKE_OVER_IDS_MS while all ids
//        have more than IDS_SHARE of the bound.
//   room-memory.4. Presence has at most PRESENCE_SHARE of the bound; more users are not shown. While rooms have more than ROOMS_SHARE, those that are
//        archived and idle for IDLE_SHORT_MS are passivated.
//   room-memory.5. When shedding did not suffice it is tried again after AGAIN_MS, and not with every step.

import { MemoryAccount } from "#shared/kit/memory-account.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";

export const MEMORY_CATEGORIES = [
  "replay",
  "tails",
  "unarchived",
  "window",
  "ids",
  "waiting",
  "rooms",
  "presence",
] as const;
export type MemoryCategory = (typeof MEMORY_CATEGORIES)[number];

/** Shedding ends below this share of the bound, so that it does not begin again with the next line. */
const LOW_WATER = 15 / 16;
const IDS_SHARE = 1 / 2;
const AGAIN_MS = 1_000;
const PRESENCE_SHARE = 1 / 2;
const ROOMS_SHARE = 1 / 4;
/** A room without a command for this long may be passivated. */
export const IDLE_MS = 5 * 60_000;
export const IDLE_SHORT_MS = 10_000;

export type IdsKind = "old" | "young" | "all";

/** The archived lines of one room. */
export interface Tail {
  giveUpTail(): void;
}

export interface IdsToForget {
  /** Their own time is before this. */
  readonly before: Millis;
  /** And not after this, nor ahead of the time of their number; Infinity: whatever their time is. */
  readonly now: Millis;
}

/** A room that remembers ids. */
export interface IdHolder {
  forgetArchivedIds(ids: IdsToForget): void;
}

/** The unarchived lines of one partition. */
export interface Backlog {
  /** Its blocks. */
  readonly size: number;
  /** Each gives up the oldest, until it is enough or there is no more. */
  giveUpTexts(isEnough: () => boolean): void;
  giveUpIds(kind: IdsKind, ids: IdsToForget, isEnough: () => boolean): void;
  giveUpPlaces(isEnough: () => boolean): void;
}

export class RoomMemory {
  readonly account: MemoryAccount<MemoryCategory>;
  /** Rooms of all partitions in memory. For metrics. */
  rooms = 0;
  /** The wall clock, as of the newest step of any partition. */
  wall: Millis = 0;
  /** The least recently used first. */
  readonly #tails = new Set<Tail>();
  readonly #backlogs = new Set<Backlog>();
  /** Those that gave up ids last stand last. */
  readonly #ids = new Set<IdHolder>();
  #triedAt: Millis = -Infinity;

  constructor(bytesMax: number) {
    this.account = new MemoryAccount(MEMORY_CATEGORIES, bytesMax);
  }

  /** room-memory.2. */
  get isFull(): boolean {
    this.shed();
    return this.account.over > 0;
  }

  /** room-memory.4. */
  get isPresenceFull(): boolean {
    return this.account.usedBy("presence") >= this.account.bytesMax * PRESENCE_SHARE;
  }

  /** room-memory.4. */
  get idleMs(): Millis {
    const isMuch = this.account.usedBy("rooms") > this.account.bytesMax * ROOMS_SHARE;
    return isMuch ? IDLE_SHORT_MS : IDLE_MS;
  }

  /** room-memory.3. */
  get idWindowMs(): Millis {
    const { account } = this;
    const isMuch = account.usedBy("ids") > account.bytesMax * IDS_SHARE;
    return isMuch ? TAKE_OVER_IDS_MS : DEDUPE_WINDOW_MS;
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

  addIds(holder: IdHolder): void {
    this.#ids.add(holder);
  }

  removeIds(holder: IdHolder): void {
    this.#ids.delete(holder);
  }

  addBacklog(backlog: Backlog): void {
    this.#backlogs.add(backlog);
  }

  removeBacklog(backlog: Backlog): void {
    this.#backlogs.delete(backlog);
  }

  /** room-memory.1. Costs one comparison while the bound is kept. */
  shed(): void {
    if (this.account.over === 0) return;
    if (Math.abs(this.wall - this.#triedAt) < AGAIN_MS) return; // room-memory.5
    const limit = this.account.bytesMax * LOW_WATER;
    const isEnough = (): boolean => this.account.used <= limit;
    for (const tail of this.#tails) {
      if (isEnough()) return;
      this.#tails.delete(tail);
      tail.giveUpTail();
    }
    const backlogs = [...this.#backlogs].sort((a, b) => b.size - a.size);
    for (const backlog of backlogs) backlog.giveUpTexts(isEnough);
    this.#forgetArchived("old", isEnough);
    this.#forgetArchived("young", isEnough);
    for (const backlog of backlogs) backlog.giveUpIds("old", this.#kind("old"), isEnough);
    for (const backlog of backlogs) backlog.giveUpPlaces(isEnough);
    for (const kind of ["young", "all"] as const) {
      this.#forgetArchived(kind, isEnough);
      for (const backlog of backlogs) backlog.giveUpIds(kind, this.#kind(kind), isEnough);
    }
    if (this.account.over > 0) this.#triedAt = this.wall;
  }

  #forgetArchived(kind: IdsKind, isEnough: () => boolean): void {
    let left = this.#ids.size;
    for (const holder of this.#ids) {
      if (left-- === 0 || isEnough()) return;
      holder.forgetArchivedIds(this.#kind(kind));
      this.#ids.delete(holder);
      this.#ids.add(holder);
    }
  }

  #kind(kind: IdsKind): IdsToForget {
    const before = kind === "old" ? this.wall - TAKE_OVER_IDS_MS : Infinity;
    return { before, now: kind === "all" ? Infinity : this.wall };
  }
}
