// Holds: whose send of a room was refused for the time being, so that later ones cannot overtake it.
//
// The refusal may not reach its sender: the connection breaks, and on the next one everything that
// was not answered is sent again, in order. If a later send had been numbered meanwhile, the refused
// one would now stand behind it (O4). So until the refused one is back, or nobody can be under way
// any more that was sent without knowing of the refusal, the sender's later ones are refused, too.
// What counts is when a send came and not when it is decided: it may have waited for the archive.
//
//   HO1. At most HOLDS_MAX senders are held; beyond it the oldest goes.

import type { MessageId, Millis, UserId } from "#shared/protocol/ids.ts";

/** What a lane still sends again after this long it has given up, or asked about. */
export const HOLD_MS = 5_000;
export const HOLDS_MAX = 1_024;

export class Holds {
  readonly #held = new Map<UserId, { readonly id: MessageId; readonly until: Millis }>();

  hold(sender: UserId, id: MessageId, cameAt: Millis, now: Millis): void {
    // What is refused because of a hold does not replace what it waits for.
    if (this.isHeld(sender, id, cameAt)) return;
    this.#held.delete(sender);
    this.#held.set(sender, { id, until: now + HOLD_MS });
    if (this.#held.size <= HOLDS_MAX) return;
    for (const oldest of this.#held.keys()) {
      this.#held.delete(oldest); // HO1
      return;
    }
  }

  isHeld(sender: UserId, id: MessageId, cameAt: Millis): boolean {
    const held = this.#held.get(sender);
    return held !== undefined && held.id !== id && held.until > cameAt;
  }

  /** It is back, and was taken. */
  release(sender: UserId, id: MessageId): void {
    if (this.#held.get(sender)?.id === id) this.#held.delete(sender);
  }
}
