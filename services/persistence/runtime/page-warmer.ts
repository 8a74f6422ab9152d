// PageWarmer: reads the newest pages of rooms ahead: of the rooms that were used most before a
// start, and of a room that wakes.
//
// Owns: its timers, the queue of rooms, and the one statement in flight. Does not own: the pages
// (adapters/newest-pages.ts), the scores (core/room-uses.ts).
//
//   page-warmer.1. One statement reads the pages of at most BATCH_ROOMS rooms, and one is in flight
//        at a time. The process does not wait for it: it serves from its start on.
//   page-warmer.2. At most QUEUE_MAX rooms that wake wait. One more gets no page ahead, and its
//        first reader reads it. A room without a known read gets none either: after a split or the
//        end of an owner many rooms wake at once, and users wait for the snapshots.
//   page-warmer.3. A statement that fails ends the work of the start: an archive that is away gets
//        no further load, and readers read the pages.
//   page-warmer.4. Scores are stored once in SAVE_MS, in one statement for all rooms, and at the
//        end of the process. Scores that are not stored, because the process was killed or the
//        archive was away, count from the next read on only.
//   page-warmer.5. Once in LOOK_MS one statement names the rooms of kept pages that have newer
//        events, and their pages are dropped: a deleted text leaves the memory (C6).

import type { ArchiveStore, Read } from "#shared/ports/archive.ts";
import type { Clock, Timer } from "#shared/ports/clock.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { RoomUses } from "../core/room-uses.ts";
import type { RoomScore } from "../core/room-uses.ts";
import { isNewest, NEWEST_EVENTS } from "../adapters/newest-pages.ts";
import type { NewestPages } from "../adapters/newest-pages.ts";

export const BATCH_ROOMS = 32;
export const QUEUE_MAX = 64;
export const SAVE_MS = 60_000;
export const LOOK_MS = 5_000;

/** All resolve, never reject. */
export interface WarmStore {
  /** The newest `limit` messages of each room; rooms without events are left out. */
  newestPages(
    rooms: readonly RoomId[],
    limit: number,
  ): Promise<Read<readonly (readonly [RoomId, MessagesPage])[]>>;
  /** The rooms whose head is another one. */
  changedRooms(heads: readonly (readonly [RoomId, Seq])[]): Promise<Read<readonly RoomId[]>>;
  /** The rooms with the highest scores, highest first. */
  mostUsed(limit: number): Promise<Read<readonly RoomScore[]>>;
  /** Adds the scores to the stored ones. */
  addUses(scores: readonly RoomScore[]): Promise<Read<void>>;
}

export interface PageWarmerPorts {
  readonly store: WarmStore;
  readonly pages: NewestPages;
  readonly clock: Pick<Clock, "now" | "after" | "every">;
  /** The rooms to read at a start, and to store the scores of. 0: none are read ahead. */
  readonly rooms: number;
  /** Whether this process answers for the room. */
  readonly serves: (room: RoomId) => boolean;
  readonly onReport: (report: WarmReport) => void;
}

export type WarmReport =
  | { readonly kind: "warmed"; readonly rooms: number }
  | { readonly kind: "unavailable"; readonly reason: string };

export class PageWarmer implements Pick<ArchiveStore, "messages"> {
  readonly #ports: PageWarmerPorts;
  readonly #uses = new RoomUses();
  readonly #timers: Timer[] = [];
  readonly #waking = new Set<RoomId>();
  #reading: Promise<void> | undefined;
  #isStopped = false;
  /** Pages that were read ahead. */
  warmed = 0;
  /** page-warmer.2. */
  skipped = 0;

  constructor(ports: PageWarmerPorts) {
    this.#ports = ports;
  }

  /** Resolves when the pages of the start are read or given up; never rejects. */
  async start(): Promise<void> {
    const { clock, rooms } = this.#ports;
    if (rooms > 0) this.#timers.push(clock.every(SAVE_MS, () => void this.#save()));
    this.#timers.push(clock.every(LOOK_MS, () => void this.#look()));
    if (rooms > 0) await this.#warm();
  }

  /** Stores the scores. Never rejects. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
    await this.#reading;
    if (this.#ports.rooms > 0) await this.#save();
  }

  /** Resolves, never rejects. */
  async messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    const read = await this.#ports.pages.messages(room, query);
    if (read.kind === "ok" && read.value.head > 0 && isNewest(query)) {
      this.#uses.use(room, this.#ports.clock.now());
    }
    return read;
  }

  /** An owner loads the room. */
  onWake(room: RoomId): void {
    if (this.#isStopped || this.#ports.rooms === 0 || this.#ports.pages.has(room)) return;
    if (!this.#uses.has(room)) return;
    if (this.#waking.size >= QUEUE_MAX) {
      this.skipped++;
      return;
    }
    this.#waking.add(room);
    this.#reading ??= this.#wake().finally(() => (this.#reading = undefined));
  }

  async #wake(): Promise<void> {
    while (this.#waking.size > 0 && !this.#isStopped) {
      const rooms = [...this.#waking].slice(0, BATCH_ROOMS);
      for (const room of rooms) this.#waking.delete(room);
      await this.#read(rooms);
    }
  }

  async #warm(): Promise<void> {
    const { store, rooms, serves, onReport } = this.#ports;
    const found = await store.mostUsed(rooms);
    if (found.kind !== "ok") return onReport({ kind: "unavailable", reason: found.reason });
    this.#uses.load(found.value);
    const wanted = found.value.map(([room]) => room).filter(serves);
    for (let first = 0; first < wanted.length; first += BATCH_ROOMS) {
      await this.#reading; // page-warmer.1
      if (this.#isStopped) return;
      if (!(await this.#read(wanted.slice(first, first + BATCH_ROOMS)))) return; // page-warmer.3
    }
    onReport({ kind: "warmed", rooms: wanted.length });
  }

  async #read(rooms: readonly RoomId[]): Promise<boolean> {
    const { store, pages, onReport } = this.#ports;
    const since = pages.clears;
    const missing = rooms.filter((room) => !pages.has(room));
    if (missing.length === 0) return true;
    const read = await store.newestPages(missing, NEWEST_EVENTS);
    if (read.kind !== "ok") {
      onReport({ kind: "unavailable", reason: read.reason });
      return false;
    }
    for (const [room, page] of read.value) pages.keep(room, page, since);
    this.warmed += read.value.length;
    return true;
  }

  /** page-warmer.4. */
  async #save(): Promise<void> {
    const scores = this.#uses.take(this.#ports.rooms);
    if (scores.length === 0) return;
    const saved = await this.#ports.store.addUses(scores);
    if (saved.kind !== "ok") this.#uses.putBack(scores);
  }

  /** page-warmer.5. */
  async #look(): Promise<void> {
    const { store, pages } = this.#ports;
    const heads = pages.heads();
    if (heads.length === 0) return;
    const changed = await store.changedRooms(heads);
    if (changed.kind !== "ok") return;
    const read = new Map(heads);
    for (const room of changed.value) pages.dropUpTo(room, read.get(room) ?? 0);
  }
}
