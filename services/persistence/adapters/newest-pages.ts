// NewestPages: the newest page of messages of each room that is read often, in memory.
//
// A page shows the messages as of one event, its head. Each edit, deletion, reaction and pin is an
// event with a number, so a page is right for everyone who needs no event behind its head.
//
// Owns: the pages, their bound, and when one answers. Does not own: which pages are read ahead, and
// when the rooms are looked at again (runtime/page-warmer.ts).
//
//   newest-pages.1. A page answers only a query that names the event that its reader needs, and
//        only when the head of the page is this event or a later one. Every other query reads the
//        store.
//   newest-pages.2. An answer equals the answer that the store gave, or would have given as of the
//        head of the page.
//   newest-pages.3. Parallel queries of one room cause one read of the store.
//   newest-pages.4. At most NEWEST_BYTES_MAX of NEWEST_ROOMS_MAX rooms are kept. The page that was
//        not read for the longest time is removed first. A room without an event has none.
//   newest-pages.5. `clear` forgets all pages, and a page whose read began before is not kept.

import { LRUCache } from "lru-cache";
import type { Accounted } from "#shared/kit/foresight.ts";
import { stringBytes } from "#shared/kit/memory-account.ts";
import type { ArchiveStore, Read } from "#shared/ports/archive.ts";
import { readEvent } from "#shared/protocol/events.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";

/** The messages of a page: as many as clients request by default. */
export const NEWEST_EVENTS = 50;
export const NEWEST_BYTES_MAX = 32 * 1024 * 1024;
export const NEWEST_ROOMS_MAX = 4_096;
/** The entry of a page beside its lines. */
const ENTRY_BYTES = 256;

type Store = Pick<ArchiveStore, "messages">;

export class NewestPages implements Store {
  readonly #store: Store;
  readonly #pages: LRUCache<RoomId, MessagesPage>;
  readonly #loading = new Map<RoomId, Promise<Read<MessagesPage>>>();
  #clears = 0;
  hits = 0;
  misses = 0;

  constructor(store: Store, bytesMax = NEWEST_BYTES_MAX) {
    this.#store = store;
    this.#pages = new LRUCache({
      max: NEWEST_ROOMS_MAX,
      maxSize: bytesMax,
      sizeCalculation: bytesOf,
    });
  }

  get accounted(): Accounted {
    return { bytes: this.#pages.calculatedSize, bytesMax: this.#pages.maxSize };
  }

  get size(): number {
    return this.#pages.size;
  }

  /** Resolves, never rejects. */
  async messages(room: RoomId, query: MessagesQuery): Promise<Read<MessagesPage>> {
    if (!isNewest(query)) return this.#store.messages(room, query);
    const kept = this.#pages.get(room);
    const part = kept && partOf(kept, query);
    if (part !== undefined) {
      this.hits++;
      return { kind: "ok", value: part };
    }
    this.misses++;
    if (query.limit > NEWEST_EVENTS) return this.#store.messages(room, query);
    const read = await this.#load(room);
    if (read.kind !== "ok") return read;
    const found = partOf(read.value, query);
    // The page of a read that began earlier, or a user who may not see all of it.
    return found === undefined ? this.#store.messages(room, query) : { kind: "ok", value: found };
  }

  has(room: RoomId): boolean {
    return this.#pages.has(room) || this.#loading.has(room);
  }

  /** Keeps a page of NEWEST_EVENTS that was read ahead. `since`: `clears` before the read. */
  keep(room: RoomId, page: MessagesPage, since: number): void {
    if (since !== this.#clears || page.head === 0) return; // newest-pages.5
    const kept = this.#pages.peek(room);
    if (kept === undefined || kept.head <= page.head) this.#pages.set(room, page);
  }

  /** How often all pages were forgotten. */
  get clears(): number {
    return this.#clears;
  }

  /** The rooms with a page, and the heads of the pages. */
  heads(): (readonly [RoomId, Seq])[] {
    return Array.from(this.#pages.entries(), ([room, { head }]) => [room, head] as const);
  }

  /** Forgets the page of a room when its head is at most `head`. */
  dropUpTo(room: RoomId, head: Seq): void {
    if ((this.#pages.peek(room)?.head ?? Infinity) <= head) this.#pages.delete(room);
  }

  /** newest-pages.5. */
  clear(): void {
    this.#clears++;
    this.#pages.clear();
    this.#loading.clear();
  }

  async #load(room: RoomId): Promise<Read<MessagesPage>> {
    const loading = this.#loading.get(room);
    if (loading !== undefined) return loading; // newest-pages.3
    const since = this.#clears;
    const reading = this.#store.messages(room, { limit: NEWEST_EVENTS });
    this.#loading.set(room, reading);
    const read = await reading;
    if (this.#loading.get(room) === reading) this.#loading.delete(room);
    if (read.kind === "ok") this.keep(room, read.value, since);
    return read;
  }
}

/** Of the main line, up to the event that the reader needs or behind it (newest-pages.1). */
export function isNewest(query: MessagesQuery): boolean {
  const { before = Infinity, after, thread, pinned, atLeast = Infinity } = query;
  const isMain = thread === undefined && pinned === undefined;
  return isMain && after === undefined && before > atLeast;
}

/** The answer to the query from this page; undefined when the page cannot give it. */
function partOf(page: MessagesPage, query: MessagesQuery): MessagesPage | undefined {
  const { before = Infinity, limit, atLeast = Infinity } = query;
  if (page.head < atLeast || page.head >= before) return undefined;
  const { lines, first } = page;
  if (lines.length <= limit) return limit <= NEWEST_EVENTS || first === 1 ? page : undefined;
  const newest = lines.slice(-limit);
  const cut = readEvent(newest[0] ?? "")?.seq;
  return cut === undefined ? undefined : { ...page, lines: newest, first: cut, more: cut > 1 };
}

function bytesOf({ lines }: MessagesPage): number {
  return lines.reduce((sum, line) => sum + stringBytes(line), ENTRY_BYTES);
}
