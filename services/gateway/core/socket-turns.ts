// SocketTurns: the order in which the rooms and pages of one socket read and write.
//
// Owns: the waiting keys, the given turns and their age. Does not own: whether the socket has room
// (the caller requests a turn only then), the work of a turn.
//
//   socket-turns.1. Turns are given in the order of the requests. A room that has written requests
//        its next turn behind all others, so rooms share the socket fairly.
//   socket-turns.2. At most TURNS_PER_SOCKET_MAX turns are younger than TURN_LATE_MS, and at most
//        TURNS_LATE_MAX turns exist. So slow reads cost one socket bounded memory, and a read
//        without an answer does not block the others.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import { TURN_LATE_MS, TURNS_LATE_MAX, TURNS_PER_SOCKET_MAX } from "./bounds.ts";

export class SocketTurns<K> {
  readonly #waiting = new LazyMap<K, () => void>();
  /** The given turns, the oldest first, with their start times. */
  readonly #given = new LazyMap<K, Millis>();

  get isRequested(): boolean {
    return this.#waiting.size > 0;
  }

  get isEmpty(): boolean {
    return this.#waiting.size + this.#given.size === 0;
  }

  /** Calls `run` when `key` gets its turn. */
  request(key: K, run: () => void): void {
    this.#given.delete(key);
    this.#waiting.set(key, run);
  }

  /** The turn of `key` is over, or `key` no longer waits for one. */
  end(key: K): void {
    this.#given.delete(key);
    this.#waiting.delete(key);
  }

  /** Gives the next turn if one is free. The caller calls the returned function. */
  next(now: Millis): (() => void) | undefined {
    for (const [key, run] of this.#waiting) {
      if (this.#mayGiveAt(now) > now) return undefined;
      this.#waiting.delete(key);
      this.#given.set(key, now);
      return run;
    }
    return undefined;
  }

  /**
   * The time at which a late turn frees a place. Undefined: none waits, or only an end frees one.
   */
  wakeAt(now: Millis): Millis | undefined {
    if (this.#waiting.size === 0) return undefined;
    const at = this.#mayGiveAt(now);
    return at > now && at !== Infinity ? at : undefined;
  }

  #mayGiveAt(now: Millis): Millis {
    if (this.#given.size < TURNS_PER_SOCKET_MAX) return now;
    if (this.#given.size >= TURNS_LATE_MAX) return Infinity;
    // The newest turns are the ones that are not late. The oldest of these becomes late next.
    const since = [...this.#given.values()].at(-TURNS_PER_SOCKET_MAX) ?? now;
    return Math.max(now, since + TURN_LATE_MS);
  }
}
