// SearchBacklog: the rooms with events that the search does not have yet, and when the indexer
// works.
//
// Owns: the order of the rooms, the lag, and how the indexer gives way to the archive. Does not
// own: the numbers up to which rooms are indexed, which PostgreSQL has
// (adapters/postgres-search-index.ts), timers (runtime/search-runner.ts).
//
//   search-backlog.1. A room waits from the moment at which an event of it is archived. The room
//        that waits longest is next.
//   search-backlog.2. It is a hint. Passes over all rooms find what no hint named: after a start, a
//        failover, a rebuild, and when more than ROOMS_WAITING_MAX rooms wait. A pass begins
//        PASS_EVERY_MS after the one before.
//   search-backlog.3. While the archive is behind its logs, the indexer waits, for GIVE_WAY_MS at
//        most between two batches. So the archive catches up as if there were no indexer.
//   search-backlog.4. A batch that failed waits again, at its old place.
//   search-backlog.5. A batch begins REST_MS after the one before, or when BATCH_EVENTS wait. Many
//        small transactions cost more than the words that they write (decision 045). Under load the
//        index is behind by a second more; a message that is alone does not wait for it.

import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";

/** Rooms of one batch. */
export const BATCH_ROOMS_MAX = 500;
/** Events of one batch, about: of a room that waits with more, EVENTS_COUNTED count. */
export const BATCH_EVENTS = 2_000;
/** So a room with a long backlog leaves room for others. */
const EVENTS_COUNTED = 64;
/** search-backlog.5. */
export const REST_MS = 1_000;
/** Waiting rooms. Beyond it a room is found by the next pass, which begins at once. */
export const ROOMS_WAITING_MAX = 50_000;
/** search-backlog.2. */
export const PASS_EVERY_MS = 30_000;
/** An archive that wrote so many events in one batch is behind … */
export const FULL_BATCH_EVENTS = 1_500;
/** … for so long. */
const BEHIND_FOR_MS = 500;
/** search-backlog.3. */
export const GIVE_WAY_MS = 10_000;

/** A room after its batch. */
export interface IndexedRoom {
  readonly room: RoomId;
  /** It is indexed up to this number. */
  readonly to: Seq;
  readonly head: Seq;
  /** Events that the batch read. */
  readonly events: number;
}

export interface RoomsBehind {
  readonly rooms: readonly { readonly room: RoomId; readonly events: number }[];
  /** The pass continues behind this room; undefined: it has ended. */
  readonly next?: RoomId;
}

interface Waiting {
  readonly since: Millis;
  events: number;
}

export class SearchBacklog {
  /** In the order of `since`. */
  #waiting = new Map<RoomId, Waiting>();
  #taken = new Map<RoomId, Waiting>();
  #passDue: Millis = -Infinity;
  #archiveBusySince: Millis = 0;
  #archiveBusyUntil: Millis = -Infinity;
  #lastBatch: Millis = -Infinity;
  /** The events of the waiting rooms, without those of a batch. */
  #eventsWaiting = 0;

  /** The archive stored events of these rooms. */
  onArchived(events: ReadonlyMap<RoomId, number>, now: Millis): void {
    let all = 0;
    for (const [room, count] of events) {
      all += count;
      this.#add(room, count, now);
    }
    if (all < FULL_BATCH_EVENTS) return;
    if (this.#archiveBusyUntil <= now) this.#archiveBusySince = now;
    this.#archiveBusyUntil = now + BEHIND_FOR_MS;
  }

  /** A pass found these rooms. */
  onFound({ rooms, next }: RoomsBehind, now: Millis): void {
    for (const { room, events } of rooms) {
      if (!this.#waiting.has(room) && !this.#taken.has(room)) this.#add(room, events, now);
    }
    if (next === undefined && this.#passDue <= now) this.#passDue = now + PASS_EVERY_MS;
  }

  /** When the next pass is due. */
  get passDue(): Millis {
    return this.#passDue;
  }

  /** When the next batch may begin; undefined: no room waits. */
  batchDue(now: Millis): Millis | undefined {
    if (this.#waiting.size === 0) return undefined;
    const rested = this.#eventsWaiting < BATCH_EVENTS ? this.#lastBatch + REST_MS : now;
    const since = Math.max(this.#archiveBusySince, this.#lastBatch);
    return Math.max(now, rested, Math.min(this.#archiveBusyUntil, since + GIVE_WAY_MS));
  }

  /** The rooms of the next batch. `onIndexed` or `onFailed` must follow. */
  take(now: Millis): readonly RoomId[] {
    this.#lastBatch = now;
    let counted = 0;
    for (const [room, waiting] of this.#waiting) {
      if (this.#taken.size >= BATCH_ROOMS_MAX || counted >= BATCH_EVENTS) break;
      this.#taken.set(room, waiting);
      this.#waiting.delete(room);
      this.#eventsWaiting -= waiting.events;
      counted += Math.min(waiting.events, EVENTS_COUNTED);
    }
    return [...this.#taken.keys()];
  }

  onIndexed(indexed: readonly IndexedRoom[]): void {
    const left = new Map(indexed.map(({ room, to, head }) => [room, head - to]));
    const unfinished = new Map<RoomId, Waiting>();
    for (const [room, { since }] of this.#taken) {
      const events = left.get(room) ?? 0;
      if (events > 0) unfinished.set(room, { since, events });
    }
    this.#putBack(unfinished);
    this.#taken = new Map();
  }

  /** search-backlog.4. */
  onFailed(): void {
    this.#putBack(this.#taken);
    this.#taken = new Map();
  }

  get rooms(): number {
    return this.#waiting.size + this.#taken.size;
  }

  /** Archived events that the search does not have. */
  get events(): number {
    let events = this.#eventsWaiting;
    for (const waiting of this.#taken.values()) events += waiting.events;
    return events;
  }

  /** How long the oldest of them waits. */
  lagMs(now: Millis): Millis {
    const [taken] = this.#taken.values();
    const [waiting] = this.#waiting.values();
    const since = Math.min(taken?.since ?? now, waiting?.since ?? now);
    return now - since;
  }

  #add(room: RoomId, events: number, since: Millis): void {
    const waiting = this.#waiting.get(room);
    if (waiting === undefined && this.#waiting.size >= ROOMS_WAITING_MAX) {
      this.#passDue = -Infinity; // search-backlog.2
      return;
    }
    if (waiting !== undefined) waiting.events += events;
    else this.#waiting.set(room, { since, events });
    this.#eventsWaiting += events;
  }

  /** Rooms that wait longer than the others. */
  #putBack(rooms: ReadonlyMap<RoomId, Waiting>): void {
    if (rooms.size === 0) return;
    const behind = this.#waiting;
    this.#waiting = new Map(rooms);
    for (const { events } of rooms.values()) this.#eventsWaiting += events;
    for (const [room, waiting] of behind) {
      const before = this.#waiting.get(room);
      if (before === undefined) this.#waiting.set(room, waiting);
      else before.events += waiting.events;
    }
  }
}
