// SearchRunner: drives the indexer of the search for the partitions that this process archives.
//
// Owns: its timer, and the one call of PostgreSQL in flight. It uses ports only.
//
//   search-runner.1. One call is in flight at a time: a batch, or a part of a pass. Another process
//        may work on the same rooms at a failover; that is harmless
//        (postgres-search-index.1).
//   search-runner.2. A call that failed is repeated with backoff. The archive does not wait for it.
//   search-runner.3. Events that are archived within GATHER_MS are indexed together.

import { fullJitter } from "#shared/kit/backoff.ts";
import type { ArchiveBatch, ArchiveStore, Read } from "#shared/ports/archive.ts";
import type { Clock, Random, Timer } from "#shared/ports/clock.ts";
import type { Partition, RoomId } from "#shared/protocol/ids.ts";
import { SearchBacklog } from "../core/search-backlog.ts";
import type { IndexedRoom, RoomsBehind } from "../core/search-backlog.ts";

/** search-runner.3. */
const GATHER_MS = 100;
/** The rooms that one part of a pass looks at. */
const PASS_ROOMS_MAX = 5_000;
const RETRY = { baseMs: 500, capMs: 10_000 };

export interface SearchIndex {
  /** All resolve, never reject. */
  roomsBehind(part: { readonly after: string; readonly most: number }): Promise<Read<RoomsBehind>>;
  indexRooms(rooms: readonly RoomId[]): Promise<Read<readonly IndexedRoom[]>>;
}

export interface SearchRunnerPorts {
  readonly index: SearchIndex;
  readonly clock: Pick<Clock, "after" | "monotonic">;
  readonly random: Random;
  /** Whether this process archives the room. */
  readonly isMine: (room: RoomId) => boolean;
  readonly onReport: (report: SearchReport) => void;
}

export type SearchReport =
  | {
      readonly kind: "indexed";
      readonly rooms: number;
      readonly events: number;
      readonly ms: number;
    }
  | { readonly kind: "unavailable"; readonly reason: string };

export class SearchRunner {
  readonly #ports: SearchRunnerPorts;
  readonly #backlog = new SearchBacklog();
  readonly #stopped = Promise.withResolvers<void>();
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #isBusy = false;
  #isStopped = false;
  #failures = 0;
  /** The place of the pass. */
  #after = "";

  constructor(ports: SearchRunnerPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#arm(0);
  }

  /** Resolves after the call in flight, if there is one. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    if (!this.#isBusy) this.#stopped.resolve();
    return this.#stopped.promise;
  }

  onArchived({ events }: Pick<ArchiveBatch, "events">): void {
    const counts = new Map<RoomId, number>();
    for (const { room } of events) counts.set(room, (counts.get(room) ?? 0) + 1);
    this.#backlog.onArchived(counts, this.#ports.clock.monotonic());
    if (!this.#isBusy && this.#failures === 0) this.#armNext(GATHER_MS);
  }

  /** Archived events that are not indexed, as far as this process knows. */
  get lagEvents(): number {
    return this.#backlog.events;
  }

  get lagMs(): number {
    return this.#backlog.lagMs(this.#ports.clock.monotonic());
  }

  /** An earlier time stays. */
  #arm(afterMs: number): void {
    if (this.#isStopped) return;
    const { clock } = this.#ports;
    const at = clock.monotonic() + afterMs;
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = clock.after(afterMs, () => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      void this.#turn();
    });
  }

  async #turn(): Promise<void> {
    if (this.#isBusy || this.#isStopped) return;
    const { clock } = this.#ports;
    const now = clock.monotonic();
    const isBatch = (this.#backlog.batchDue(now) ?? Infinity) <= now;
    const isPass = !isBatch && (this.#after !== "" || this.#backlog.passDue <= now);
    if (!isBatch && !isPass) return this.#armNext();
    this.#isBusy = true;
    const isDone = isBatch ? await this.#batch(now) : await this.#passOn();
    this.#isBusy = false;
    if (this.#isStopped) return this.#stopped.resolve();
    if (isDone) {
      this.#failures = 0;
      return this.#armNext();
    }
    this.#arm(fullJitter(this.#failures++, RETRY, this.#ports.random)); // search-runner.2
  }

  #armNext(atLeastMs = 0): void {
    const now = this.#ports.clock.monotonic();
    const pass = this.#after === "" ? this.#backlog.passDue : now;
    const due = Math.min(pass, this.#backlog.batchDue(now) ?? Infinity);
    this.#arm(Math.max(atLeastMs, due - now));
  }

  async #batch(began: number): Promise<boolean> {
    const { index, clock, onReport } = this.#ports;
    const read = await index.indexRooms(this.#backlog.take(began));
    if (read.kind !== "ok") {
      this.#backlog.onFailed();
      onReport({ kind: "unavailable", reason: read.reason });
      return false;
    }
    this.#backlog.onIndexed(read.value);
    const events = read.value.reduce((sum, room) => sum + room.events, 0);
    const ms = clock.monotonic() - began;
    onReport({ kind: "indexed", rooms: read.value.length, events, ms });
    return true;
  }

  async #passOn(): Promise<boolean> {
    const { index, clock, isMine, onReport } = this.#ports;
    const read = await index.roomsBehind({ after: this.#after, most: PASS_ROOMS_MAX });
    if (read.kind !== "ok") {
      onReport({ kind: "unavailable", reason: read.reason });
      return false;
    }
    const { rooms, next } = read.value;
    const mine = { rooms: rooms.filter(({ room }) => isMine(room)), ...(next && { next }) };
    this.#backlog.onFound(mine, clock.monotonic());
    this.#after = next ?? "";
    return true;
  }
}

/** The same store, which reports to the indexer what it has archived. */
export function observed(
  store: Pick<ArchiveStore, "watermark" | "write">,
  runner: Pick<SearchRunner, "onArchived">,
): Pick<ArchiveStore, "watermark" | "write"> {
  return {
    watermark: (p, claim) => store.watermark(p, claim),
    async write(batch) {
      const outcome = await store.write(batch);
      if (outcome.kind === "ok") runner.onArchived(batch);
      return outcome;
    },
  };
}

/** Whether the room belongs to one of the partitions. */
export function isRoomOf(
  map: { partitionOf(room: RoomId): Partition },
  assigned: () => Iterable<readonly [Partition, unknown]>,
): (room: RoomId) => boolean {
  return (room) => {
    const p = map.partitionOf(room);
    for (const [mine] of assigned()) if (mine === p) return true;
    return false;
  };
}
