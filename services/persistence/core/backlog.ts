// Backlog: entries of one partition that were read and not yet sent to the store.
//
//   backlog.1. Entries leave in the order of arrival, whole: a batch never ends within an entry,
//        because the watermark counts entries.
//   backlog.2. `isFull` is true from the bounds on. The reader is then closed, so the excess is at
//        most one entry. `hasRoom` is true again at half of the bounds, so that a reader is not
//        opened for one entry.
//   backlog.3. A batch begins with the entry behind the watermark and has no gap; anything else is
//        a broken invariant.

import { assert } from "#shared/kit/assert.ts";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import type { LogSeq, Partition } from "#shared/protocol/ids.ts";
import type { ProjectedEntry } from "./projection.ts";

export interface BacklogBounds {
  /** Lines in the backlog, where an entry without lines counts as one. */
  readonly linesMax: number;
  readonly bytesMax: number;
}

export interface BatchBounds {
  readonly linesMax: number;
  readonly bytesMax: number;
}

/** Traced messages to which one batch links. */
export const TRACES_PER_BATCH_MAX = 64;

interface Waiting {
  readonly entry: ProjectedEntry;
  readonly lines: number;
  readonly bytes: number;
}

export class Backlog {
  readonly #bounds: BacklogBounds;
  #waiting: Waiting[] = [];
  #lines = 0;
  #bytes = 0;
  #splits = 0;

  constructor(bounds: BacklogBounds) {
    this.#bounds = bounds;
  }

  push(entry: ProjectedEntry, bytes: number): void {
    const lines = Math.max(1, entry.events.length + entry.unread.length);
    this.#waiting.push({ entry, lines, bytes });
    this.#lines += lines;
    this.#bytes += bytes;
    if (entry.split !== undefined) this.#splits++;
  }

  get lines(): number {
    return this.#lines;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#lines >= this.#bounds.linesMax || this.#bytes >= this.#bounds.bytesMax;
  }

  get hasRoom(): boolean {
    return this.#lines * 2 <= this.#bounds.linesMax && this.#bytes * 2 <= this.#bounds.bytesMax;
  }

  /**
   * True when the backlog fills a batch, so that waiting for more would gain nothing, or when it
   * has a split: the rooms that move wait until the archive has it.
   */
  fills(bounds: BatchBounds): boolean {
    if (this.#splits > 0) return true;
    return this.#lines >= bounds.linesMax || this.#bytes >= bounds.bytesMax;
  }

  /** As many entries as fit the bounds, at least one. The backlog must not be empty. */
  take(p: Partition, from: LogSeq, bounds: BatchBounds): ArchiveBatch {
    let count = 0;
    let lines = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const fits =
        lines + waiting.lines <= bounds.linesMax && bytes + waiting.bytes <= bounds.bytesMax;
      if (count > 0 && !fits) break;
      count++;
      lines += waiting.lines;
      bytes += waiting.bytes;
    }
    const taken = this.#waiting.slice(0, count).map((waiting) => waiting.entry);
    this.#waiting = this.#waiting.slice(count);
    this.#lines -= lines;
    this.#bytes -= bytes;
    const unread = taken.flatMap((entry) => entry.unread);
    const traces = taken.flatMap((entry) => entry.traces ?? []).slice(0, TRACES_PER_BATCH_MAX);
    const splits = taken.flatMap((entry) => entry.split ?? []);
    this.#splits -= splits.length;
    const last = taken.at(-1);
    assert(last !== undefined, "a batch is taken only when something waits");
    // backlog.3
    assert(last.seq === from + count, "a batch continues the watermark, without a gap");
    return {
      p,
      from,
      to: last.seq,
      epoch: last.epoch,
      events: taken.flatMap((entry) => entry.events),
      ...(last.isRelease && { isReleased: true }),
      ...(splits.length > 0 && { splits }),
      ...(unread.length > 0 && { unread }),
      ...(traces.length > 0 && { traces }),
    };
  }
}
