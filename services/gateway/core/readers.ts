// Readers: the members of one feed that are behind, each with its own cursor.
//
// Owns: cursors, the state of each reader, and its timeout. Does not own: the next lines of a
// reader (the feed decides).

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Millis, Seq } from "#shared/protocol/ids.ts";
import { READER_TIMEOUT_MS } from "./bounds.ts";

export interface Reader {
  cursor: Seq;
  /** The head of its `joined` frame. Below it the reader is not caught up. */
  readonly target: Seq;
  readonly isCaughtUp: boolean;
  /**
   * idle: waits for the feed, or for the retry of a fetch · queued: waits for a turn of its socket
   * · fetching, writing: has the turn, and a fetch or a chunk is in progress.
   */
  state: "idle" | "queued" | "fetching" | "writing";
  /** The time of its last chunk. */
  servedAt: Millis;
}

export class Readers<M> {
  readonly #readers = new LazyMap<M, Reader>();
  #deadlineAt: Millis | undefined;

  get size(): number {
    return this.#readers.size;
  }

  /** The earliest time at which a reader may time out. */
  get deadlineAt(): Millis | undefined {
    return this.#deadlineAt;
  }

  get(member: M): Reader | undefined {
    return this.#readers.get(member);
  }

  add(member: M, cursor: Seq, target: Seq, now: Millis): Reader {
    const reader: Reader = { cursor, target, isCaughtUp: false, state: "idle", servedAt: now };
    this.#readers.set(member, reader);
    return reader;
  }

  /** A live member becomes a reader. It has had its `caught-up` already. */
  demote(member: M, cursor: Seq, now: Millis): Reader {
    const reader: Reader = {
      cursor,
      target: 0,
      isCaughtUp: true,
      state: "idle",
      servedAt: now,
    };
    this.#readers.set(member, reader);
    return reader;
  }

  /** True when the member was a reader. */
  delete(member: M): boolean {
    const wasReader = this.#readers.delete(member);
    // A quiet room has none, and its table would take 184 bytes.
    if (wasReader && this.#readers.size === 0) this.#readers.clear();
    return wasReader;
  }

  members(): Iterable<M> {
    return this.#readers.keys();
  }

  /** The readers that could receive a chunk now and have none. */
  *unserved(): Generator<readonly [M, Reader]> {
    for (const entry of this.#readers) {
      if (entry[1].state === "idle" || entry[1].state === "fetching") yield entry;
    }
  }

  /** Arms the timeout when a reader begins to wait. */
  armDeadline(now: Millis): void {
    this.#deadlineAt ??= now + READER_TIMEOUT_MS;
  }

  /** Removes and returns the readers that timed out. */
  expireStarved(now: Millis): M[] {
    if (this.#deadlineAt === undefined || now < this.#deadlineAt) return [];
    this.#deadlineAt = undefined;
    const starved: M[] = [];
    for (const [member, reader] of this.unserved()) {
      const until = reader.servedAt + READER_TIMEOUT_MS;
      if (until > now) this.#deadlineAt = Math.min(this.#deadlineAt ?? until, until);
      else starved.push(member);
    }
    for (const member of starved) this.#readers.delete(member);
    return starved;
  }
}
