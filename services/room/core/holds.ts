// Holds: which sends of a sender were refused for the time being in a room, so that later ones cannot
// overtake them.
//
// A refusal may not reach its sender: the connection breaks, and on the next one everything that was
// not answered is sent again, in order. If a later send had been numbered meanwhile, the refused one
// would now stand behind it (O4). So while refused sends are away, only the first of them passes; the
// sender's others are refused, and wait behind it. Each is waited for until no send can be under way any
// more that was sent without knowing of its refusal. What counts is when a send came and not when it is
// decided: it may have waited for the archive.
//
//   holds.1. At most HOLDS_MAX refused sends are remembered; beyond it those of the sender that has
//        waited longest go.
//   holds.2. A send that is refused because of others is waited for like these, from its own refusal on.
//   holds.3. A sender is held for HOLD_MS after the last refusal of the first one at most; then the next is
//        the first. So what never comes again holds up its sender once.

import type { MessageId, Millis, UserId } from "#shared/protocol/ids.ts";

/** What a lane still sends again after this long it has given up, or asked about. */
export const HOLD_MS = 5_000;
export const HOLDS_MAX = 1_024;

interface Refused {
  readonly id: MessageId;
  until: Millis;
}

export class Holds {
  /** By sender, in the order in which they were first refused. */
  readonly #held = new Map<UserId, Refused[]>();
  #count = 0;

  hold(sender: UserId, id: MessageId, cameAt: Millis, now: Millis): void {
    const until = now + HOLD_MS;
    const before = this.#held.get(sender) ?? [];
    const kept = before.filter((refused) => refused.until > cameAt || refused.id === id);
    const known = kept.find((refused) => refused.id === id);
    if (known === undefined) kept.push({ id, until });
    else known.until = until;
    this.#set(sender, kept);
    if (this.#count > HOLDS_MAX) this.#forgetOldest(); // holds.1
  }

  isHeld(sender: UserId, id: MessageId, cameAt: Millis): boolean {
    for (const refused of this.#held.get(sender) ?? []) {
      if (refused.id === id) return false; // None before it is waited for any more.
      if (refused.until > cameAt) return true;
    }
    return false;
  }

  /** It is back, and was taken. */
  release(sender: UserId, id: MessageId): void {
    const held = this.#held.get(sender);
    if (held === undefined) return;
    this.#set(
      sender,
      held.filter((refused) => refused.id !== id),
    );
  }

  #set(sender: UserId, refused: Refused[]): void {
    this.#count += refused.length - (this.#held.get(sender)?.length ?? 0);
    if (refused.length === 0) this.#held.delete(sender);
    else this.#held.set(sender, refused);
  }

  #forgetOldest(): void {
    for (const sender of this.#held.keys()) return this.#set(sender, []);
  }
}
