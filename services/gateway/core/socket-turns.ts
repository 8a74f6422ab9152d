// SocketTurns: which of the rooms and pages of one socket may read and write next.
//
// Owns: who waits, who has a turn and since when. Does not own: whether the socket has room (the
// caller asks for the next turn only while it has), what a turn does.
//
//   socket-turns.1. Turns are given in the order in which they were asked for. A room that has written asks
//        again, behind all others, so rooms share the socket fairly.
//   socket-turns.2. At most TURNS_PER_SOCKET_MAX turns are younger than TURN_LATE_MS, and at most
//        TURNS_LATE_MAX are out: what slow sources bring for one socket is bounded, and a source
//        that does not answer does not hold up the others.

import type { Millis } from "#shared/protocol/ids.ts";
import { TURN_LATE_MS, TURNS_LATE_MAX, TURNS_PER_SOCKET_MAX } from "./bounds.ts";

export class SocketTurns<K> {
  readonly #waiting = new Map<K, () => void>();
  /** Those who have a turn, the oldest first, and since when. */
  readonly #given = new Map<K, Millis>();

  get isWanted(): boolean {
    return this.#waiting.size > 0;
  }

  /** `run` is called when it is the turn of `key`. */
  want(key: K, run: () => void): void {
    this.#given.delete(key);
    this.#waiting.set(key, run);
  }

  /** The turn of `key` is over, or it does not want one any more. */
  end(key: K): void {
    this.#given.delete(key);
    this.#waiting.delete(key);
  }

  /** Gives the next turn, if one may be given now; `run` then begins it. */
  next(now: Millis): (() => void) | undefined {
    for (const [key, run] of this.#waiting) {
      if (this.#mayGiveAt(now) > now) return undefined;
      this.#waiting.delete(key);
      this.#given.set(key, now);
      return run;
    }
    return undefined;
  }

  /** When a late turn makes room for another; undefined when none waits or only an end helps. */
  wakeAt(now: Millis): Millis | undefined {
    if (this.#waiting.size === 0) return undefined;
    const at = this.#mayGiveAt(now);
    return at > now && at !== Infinity ? at : undefined;
  }

  clear(): void {
    this.#waiting.clear();
    this.#given.clear();
  }

  #mayGiveAt(now: Millis): Millis {
    if (this.#given.size < TURNS_PER_SOCKET_MAX) return now;
    if (this.#given.size >= TURNS_LATE_MAX) return Infinity;
    // The turns that are not late are the newest; the oldest of these is the next to be late.
    const since = [...this.#given.values()].at(-TURNS_PER_SOCKET_MAX) ?? now;
    return Math.max(now, since + TURN_LATE_MS);
  }
}
