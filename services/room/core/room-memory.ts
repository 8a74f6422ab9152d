// Room memory: the memory of all rooms of one room node, with one bound, and the order in which it
// is shed.
//
// Owns: the account, the order of shedding, and the lists of holders. Does not own: how a holder
// drops its data (recent.ts, unarchived.ts, dedupe.ts).
//
// Categories of the account:
//   replay      committed lines that a replay has read, of rooms that are not loaded
//   tails       archived lines, kept so that a join finds its tail in memory
//   unarchived  committed lines that the archive does not have
//   window      lines and replies that wait for an append or its confirmation
//   ids         message ids that are recognised without the archive
//   targets     what is known of recent messages, so that they can be changed (message-targets.ts)
//   waiting     commands that wait until their room is loaded
//   rooms       the rooms themselves, loaded or not
//   presence    the users that are present in each room
//
//   room-memory.1. Above the bound it sheds down to LOW_WATER of the bound, in this order:
//        1. archived tails, the least recently used room first: the archive has them;
//        2. texts of unarchived lines, the oldest of the largest partition first: the log has them;
//        3. archived ids, those older than TAKE_OVER_IDS_MS first: a resend then needs a look-up,
//           and so does a change of a message, because its target goes with the ids;
//        4. unarchived ids older than that: a resend gets `unavailable` until the id is archived;
//        5. places of unarchived lines: the lines are readable again when they are archived;
//        6. all other ids, those from the future last: their senders' floors rise (dedupe.ts).
//   room-memory.2. If the rest still exceeds the bound, sends and commands that would have to wait
//       are refused (`busy`).
//   room-memory.3. Ids of archived messages are kept for DEDUPE_WINDOW_MS, and only for
//       TAKE_OVER_IDS_MS while all ids exceed IDS_SHARE of the bound.
//   room-memory.4. Presence holds at most PRESENCE_SHARE of the bound, and further users are not
//       listed. While rooms exceed ROOMS_SHARE, archived rooms are passivated after IDLE_SHORT_MS.
//   room-memory.5. If shedding was not sufficient, it is tried again after AGAIN_MS and not in
//       every step.

import { MemoryAccount } from "#shared/kit/memory-account.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { DEDUPE_WINDOW_MS, TAKE_OVER_IDS_MS } from "#shared/protocol/limits.ts";

export const MEMORY_CATEGORIES = [
  "replay",
  "tails",
  "unarchived",
  "window",
  "ids",
  "targets",
  "waiting",
  "rooms",
  "presence",
] as const;
export type MemoryCategory = (typeof MEMORY_CATEGORIES)[number];

/** Shedding ends at this share of the bound, so that the next line does not start it again. */
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
  /** Their own time is before this time. */
  readonly before: Millis;
  /**
   * Their own time is not after this time, and not ahead of the time of their sequence number.
   * Infinity: any time.
   */
  readonly now: Millis;
}

/** A room that remembers ids. */
export interface IdHolder {
  forgetArchivedIds(ids: IdsToForget): void;
}

/** The unarchived lines of one partition. */
export interface Backlog {
  /** The number of blocks. */
  readonly size: number;
  /** Each method drops the oldest data first, until `isEnough` or until none is left. */
  giveUpTexts(isEnough: () => boolean): void;
  giveUpIds(kind: IdsKind, ids: IdsToForget, isEnough: () => boolean): void;
  giveUpPlaces(isEnough: () => boolean): void;
}

export class RoomMemory {
  readonly account: MemoryAccount<MemoryCategory>;
  /** The number of rooms of all partitions in memory. For metrics. */
  rooms = 0;
  /** The wall clock at the newest step of any partition. */
  wall: Millis = 0;
  /** The least recently used tail is first. */
  readonly #tails = new Set<Tail>();
  readonly #backlogs = new Set<Backlog>();
  /** The holder that dropped ids most recently is last. */
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

  /** `tail` has archived lines and is in use now. */
  useTail(tail: Tail): void {
    this.#tails.delete(tail);
    this.#tails.add(tail);
  }

  /** `tail` has no archived lines left. */
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

  /** room-memory.1. Below the bound it costs one comparison. */
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
