// Readers: the subscribers of one feed that are behind, each with its own cursor.
//
// Owns: cursors, what each reader waits for, and how long it is willing to. The feed decides what a
// reader gets next.

import type { Millis, Seq } from "#shared/protocol/ids.ts";
import { READER_TIMEOUT_MS } from "./bounds.ts";

export interface Reader {
  cursor: Seq;
  /** The head it was promised; below it, it is not caught up. */
  readonly target: Seq;
  readonly isCaughtUp: boolean;
  /**
   * idle: waits for the feed, or for a fetch that failed to be tried again · queued: wants a turn of
   * its socket · fetching and writing: it has the turn, and a fetch or a chunk is under way.
   */
  state: "idle" | "queued" | "fetching" | "writing";
  /** When it last got something. */
  servedAt: Millis;
}

export class Readers<M> {
  readonly #readers = new Map<M, Reader>();
  #deadlineAt: Millis | undefined;

  get size(): number {
    return this.#readers.size;
  }

  /** When the patience of one of them may end. */
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

  /** A live member becomes a reader; it was told long ago that it had caught up. */
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

  /** Whether it was one. */
  delete(member: M): boolean {
    return this.#readers.delete(member);
  }

  /** Those that could take a chunk now and do not have it. */
  *unserved(): Generator<readonly [M, Reader]> {
    for (const entry of this.#readers) {
      if (entry[1].state === "idle" || entry[1].state === "fetching") yield entry;
    }
  }

  /** Somebody began to wait: look again when patience may end. */
  armDeadline(now: Millis): void {
    this.#deadlineAt ??= now + READER_TIMEOUT_MS;
  }

  /** Forgets and names those that waited too long. */
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
