// PageCache: ranges of archived lines through an LRU of aligned pages, with single-flight.
//
// A room's sequence numbers have no gaps, so a full page never gets another line. Only a deletion
// changes a line. The cache keeps only full pages, and each for a short time.
//
//   page-cache.1. Parallel requests for one page cause one read of the store.
//   page-cache.2. At most PAGES_BYTES_MAX are kept; the pages read least recently are removed
//        first.
//   page-cache.3. An answer equals an answer that the store gave within PAGE_KEPT_MS, except that
//        `head` may be a lower bound. So a deleted text is served for at most PAGE_KEPT_MS more
//        (C6), whichever process has archived the deletion.
//   page-cache.4. A region that rejoins replaces rows. `clear` forgets all pages, and a page whose
//        read began before is not kept.
//   page-cache.5. A page leaves the memory PAGE_KEPT_MS after its read, or a little later, also
//        without a further request: a deleted text does not stay in it (C6).

import { LRUCache } from "lru-cache";
import type { Accounted } from "#shared/kit/foresight.ts";
import type { ArchiveStore, Read } from "#shared/ports/archive.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { ArchivedRange } from "#shared/protocol/history.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { RANGE_BYTES_MAX, RANGE_EVENTS_MAX } from "#shared/protocol/limits.ts";

export const PAGE_EVENTS = 64;
export const PAGES_BYTES_MAX = 64 * 1024 * 1024;

/** Long enough for the readers of one outage, who request the same pages at the same time. */
export const PAGE_KEPT_MS = 1_000;
/** Between two looks at all pages. */
const SWEEP_MIN_MS = 100;

type Ranges = Pick<ArchiveStore, "range">;

interface Kept {
  readonly lines: readonly string[];
  readonly until: Millis;
}

export class PageCache implements Ranges {
  readonly #store: Ranges;
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #pages: LRUCache<string, Kept>;
  readonly #loading = new Map<string, Promise<Read<ArchivedRange>>>();
  #clears = 0;
  /** The timer runs while there are pages. */
  #isSweeping = false;
  hits = 0;
  misses = 0;

  constructor(
    store: Ranges,
    clock: Pick<Clock, "monotonic" | "after">,
    bytesMax = PAGES_BYTES_MAX,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#pages = new LRUCache({
      maxSize: bytesMax,
      sizeCalculation: ({ lines }) => lines.reduce((sum, line) => sum + line.length, 64),
    });
  }

  get accounted(): Accounted {
    return { bytes: this.#pages.calculatedSize, bytesMax: this.#pages.maxSize };
  }

  /** page-cache.4. */
  clear(): void {
    this.#clears++;
    this.#pages.clear();
    this.#loading.clear();
  }

  /** Resolves, never rejects. */
  async range(room: RoomId, first: Seq, last: Seq): Promise<Read<ArchivedRange>> {
    const lines: string[] = [];
    let bytes = 0;
    let head = 0;
    for (let next = first; next <= last;) {
      const page = Math.floor((next - 1) / PAGE_EVENTS);
      const start = page * PAGE_EVENTS + 1;
      const read = await this.#page(room, page, start);
      if (read.kind !== "ok") return lines.length > 0 ? ok({ first, lines, head }) : read;
      const got = read.value;
      head = Math.max(head, got.head);
      const part = got.lines.slice(next - start, last + 1 - start);
      for (const line of part) {
        bytes += line.length * 2;
        const isFull = lines.length >= RANGE_EVENTS_MAX || bytes > RANGE_BYTES_MAX;
        if (isFull && lines.length > 0) return ok({ first, lines, head });
        lines.push(line);
      }
      if (got.lines.length < PAGE_EVENTS) {
        // The newest page; or lines so long that the store returned a part of the page.
        const isCut = part.length === 0 && next <= got.head && lines.length === 0;
        return isCut ? this.#store.range(room, first, last) : ok({ first, lines, head });
      }
      next = start + PAGE_EVENTS;
    }
    return ok({ first, lines, head });
  }

  async #page(room: RoomId, page: number, start: Seq): Promise<Read<ArchivedRange>> {
    const key = `${room}:${page}`;
    const kept = this.#pages.get(key);
    if (kept !== undefined && this.#clock.monotonic() < kept.until) {
      this.hits++;
      return ok({ first: start, lines: kept.lines, head: start + PAGE_EVENTS - 1 });
    }
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading; // page-cache.1
    this.misses++;
    const clears = this.#clears;
    const until = this.#clock.monotonic() + PAGE_KEPT_MS;
    const reading = this.#store.range(room, start, start + PAGE_EVENTS - 1);
    this.#loading.set(key, reading);
    const read = await reading;
    if (clears !== this.#clears) return read; // page-cache.4
    this.#loading.delete(key);
    if (read.kind === "ok" && read.value.lines.length === PAGE_EVENTS) {
      this.#pages.set(key, { lines: read.value.lines, until });
      this.#armSweep(until);
    }
    return read;
  }

  /** page-cache.5. */
  #armSweep(at: Millis): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const afterMs = Math.max(SWEEP_MIN_MS, at - this.#clock.monotonic());
    this.#clock.after(afterMs, () => {
      this.#isSweeping = false;
      const now = this.#clock.monotonic();
      let next = Infinity;
      for (const [key, { until }] of this.#pages.entries()) {
        if (until <= now) this.#pages.delete(key);
        else next = Math.min(next, until);
      }
      if (next < Infinity) this.#armSweep(next);
    });
  }
}

function ok<T>(value: T): Read<T> {
  return { kind: "ok", value };
}
