// SlowMode: how long each sender of a room with `slowMode` has to wait for the next message.
//
// Owns: the time of the last message of recent senders. Does not own: the setting (room-state.ts),
// who has to wait (rights.ts).
//
//   slow-mode.1. Only messages behind `slowFrom`, the event that set the slow mode, count. So a
//       snapshot and the events above it decide as all events do.
//   slow-mode.2. At most SLOW_SENDERS_MAX senders are known, those with the newest messages. A
//       sender who was forgotten may send at once.
//   slow-mode.3. The wait is measured with the owner's clock. A message whose time is ahead of that
//       clock, which then went back, counts as sent now. So a wait ends after its seconds.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { SenderTime } from "#shared/protocol/history.ts";
import type { Millis, Seq, UserId } from "#shared/protocol/ids.ts";
import { SLOW_SENDERS_MAX } from "#shared/protocol/limits.ts";

/** The memory of a sender. */
export const SENDER_BYTES = 192;

export interface SentMessage {
  readonly seq: Seq;
  readonly from: UserId;
  readonly at: Millis;
}

export class SlowMode {
  /** In the order of their messages. */
  readonly #last = new LazyMap<UserId, SentMessage>();
  readonly #limit: number;

  constructor(limit = SLOW_SENDERS_MAX) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#last.size;
  }

  /** The next message of the room. `at`: by the owner's clock, or as it is stored. */
  take({ seq, from, at }: SentMessage): void {
    this.#last.delete(from);
    this.#last.set(from, { seq, from, at });
    if (this.#last.size <= this.#limit) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest); // slow-mode.2
      return;
    }
  }

  /** The part of a snapshot, and then the messages that a replay read. */
  load(senders: readonly SenderTime[], replayed?: SlowMode): void {
    for (const [from, at, seq] of senders) this.take({ from, at, seq });
    if (replayed === undefined) return;
    for (const message of replayed.#last.values()) this.take(message);
  }

  /** The rest of the wait of `user` in milliseconds; 0: the next message may be sent now. */
  waitMs({ slowMode, slowFrom = 0 }: RoomSettings, user: UserId, now: Millis): Millis {
    const last = this.#last.get(user);
    if (slowMode === undefined || last === undefined || last.seq < slowFrom) return 0;
    const at = Math.min(last.at, now);
    if (at < last.at) this.#last.set(user, { ...last, at }); // slow-mode.3; it keeps its place.
    return Math.max(0, at + slowMode * 1_000 - now);
  }

  clear(): void {
    this.#last.clear();
  }
}
