// MemoryLog: PartitionLog in memory, for tests and for the simulation. One object is the disk. It
// outlives the nodes that use it, so a test simulates a crash by discarding everything else.
//
// Every step (trying an append, delivering its outcome, delivering one entry to a reader) is one
// call of `schedule`. Appends are tried in the order of their calls under any scheduler
// (ports/log.2).

import { isEntryTooLarge } from "../ports/log.ts";
import type {
  AppendOutcome,
  GetOutcome,
  LastOutcome,
  LogReader,
  PartitionLog,
  ReadHandlers,
} from "../ports/log.ts";
import type { LogSeq, Partition } from "../protocol/ids.ts";

export interface MemoryLogOptions {
  /**
   * The maximum number of entries of one partition; beyond it appends are refused as `full`
   * (ports/log.5).
   */
  readonly entriesMax?: number;
  /** Runs a step later, not synchronously; default: as a microtask. */
  readonly schedule?: (run: () => void) => void;
}

const ENTRIES_MAX = 100_000;

interface Reader {
  next: LogSeq;
  hasBegun: boolean;
  isOpen: boolean;
  /** A step is scheduled. A reader at the end has none; the next append schedules one. */
  isMoving: boolean;
  readonly handlers: ReadHandlers;
}

interface Stored {
  /** entries[0] has sequence `first`. */
  first: LogSeq;
  entries: Uint8Array[];
  readonly readers: Set<Reader>;
}

export class MemoryLog implements PartitionLog {
  readonly #entriesMax: number;
  readonly #schedule: (run: () => void) => void;
  readonly #partitions = new Map<Partition, Stored>();
  readonly #tries: (() => void)[] = [];

  constructor(options: MemoryLogOptions = {}) {
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
    this.#schedule = options.schedule ?? queueMicrotask;
  }

  /** Creates the log of a partition, so that its first entry has the sequence `first`. */
  create(p: Partition, first: LogSeq): void {
    this.#partitions.set(p, { first, entries: [], readers: new Set() });
  }

  append(p: Partition, data: string | Uint8Array, expected: LogSeq): Promise<AppendOutcome> {
    if (isEntryTooLarge(data)) return this.#later({ kind: "full" }); // ports/log.7
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
    return new Promise((resolve) => {
      this.#tries.push(() => {
        const outcome = this.#tryAppend(p, bytes, expected);
        this.#schedule(() => resolve(outcome));
      });
      this.#schedule(() => this.#tries.shift()?.());
    });
  }

  last(p: Partition): Promise<LastOutcome> {
    const stored = this.#stored(p);
    const bytes = stored.entries.reduce((sum, entry) => sum + entry.length, 0);
    return this.#later({ kind: "ok", first: stored.first, last: lastOf(stored), bytes });
  }

  read(p: Partition, from: LogSeq, handlers: ReadHandlers): LogReader {
    const stored = this.#stored(p);
    const next = Math.max(1, from);
    const reader: Reader = { next, hasBegun: false, isOpen: true, isMoving: false, handlers };
    stored.readers.add(reader);
    this.#move(stored, reader);
    return {
      close: () => {
        reader.isOpen = false;
        stored.readers.delete(reader);
      },
    };
  }

  get(p: Partition, seq: LogSeq): Promise<GetOutcome> {
    const stored = this.#stored(p);
    const data = stored.entries[seq - stored.first];
    return this.#later(data === undefined ? { kind: "gone" } : { kind: "ok", data });
  }

  trim(p: Partition, upTo: LogSeq): Promise<{ readonly kind: "ok" | "refused" | "unknown" }> {
    const stored = this.#stored(p);
    if (!Number.isSafeInteger(upTo) || upTo < 2 || upTo >= lastOf(stored)) {
      return this.#later({ kind: "refused" });
    }
    const count = Math.max(0, upTo + 1 - stored.first);
    stored.entries.splice(0, count);
    stored.first += count;
    return this.#later({ kind: "ok" });
  }

  #tryAppend(p: Partition, data: Uint8Array, expected: LogSeq): AppendOutcome {
    const stored = this.#stored(p);
    const last = lastOf(stored);
    if (expected !== last) return { kind: "conflict", last };
    if (stored.entries.length >= this.#entriesMax) return { kind: "full" };
    stored.entries.push(data);
    for (const reader of stored.readers) this.#move(stored, reader);
    return { kind: "ok", seq: last + 1 };
  }

  #move(stored: Stored, reader: Reader): void {
    if (reader.isMoving) return;
    reader.isMoving = true;
    this.#schedule(() => {
      reader.isMoving = false;
      if (this.#step(stored, reader)) this.#move(stored, reader);
    });
  }

  /** Delivers one entry; false when there is none or the reader has ended. */
  #step(stored: Stored, reader: Reader): boolean {
    if (!reader.isOpen || stored.entries.length === 0) return false;
    if (reader.next < stored.first) {
      if (reader.hasBegun) {
        this.#end(stored, reader, "entries were trimmed before they were read");
        return false;
      }
      reader.next = stored.first; // ports/log.4: it begins with the first that exists.
    }
    const data = stored.entries[reader.next - stored.first];
    if (data === undefined) return false;
    reader.hasBegun = true;
    const seq = reader.next++;
    try {
      reader.handlers.onEntry(seq, data);
    } catch (error: unknown) {
      this.#end(stored, reader, `the entry handler threw at ${seq}: ${String(error)}`);
    }
    return reader.isOpen;
  }

  #end(stored: Stored, reader: Reader, reason: string): void {
    if (!reader.isOpen) return;
    reader.isOpen = false;
    stored.readers.delete(reader);
    reader.handlers.onError(reason);
  }

  #stored(p: Partition): Stored {
    const known = this.#partitions.get(p);
    if (known !== undefined) return known;
    const stored: Stored = { first: 1, entries: [], readers: new Set() };
    this.#partitions.set(p, stored);
    return stored;
  }

  #later<T>(outcome: T): Promise<T> {
    return new Promise((resolve) => {
      this.#schedule(() => resolve(outcome));
    });
  }
}

function lastOf(stored: Stored): LogSeq {
  return stored.first + stored.entries.length - 1;
}
