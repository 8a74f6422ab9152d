// Holds: the temporarily refused sends of each sender in one room, so that later sends do not
// overtake them.
//
// A refusal may not reach its sender: the connection breaks, and the client resends all unanswered
// sends in order on the next one. If a later send had a sequence number by then, the refused send
// would get a higher one (O4). So while a sender has refused sends, only the first of them is
// accepted, and all its other sends are refused too. A refused send is remembered until all sends
// have arrived that left their sender before the refusal. The arrival time of a send counts, not
// the time of its decision, because a send may wait for the archive. All times are running times
// of the owner: the sends of a pause arrive at its end (running-time.ts).
//
// Owns: the refused sends of one room. Does not own: the reason of a refusal, and which writes have
// an order (writes.ts).
//
//   holds.1. At most HOLDS_MAX refused sends are remembered. Above that, those of the sender that
//       has the most are dropped; among equals, of the one that has waited longest. So a sender
//       that is refused with ever new ids loses its own order, and not that of others.
//   holds.2. A send that is refused because of an earlier one is also remembered, from its own
//       refusal on.
//   holds.3. A sender is held for at most HOLD_MS after the last refusal of its first refused send.
//       Then the next one is the first. So a send that is never resent delays its sender once.
//   holds.4. A refused send keeps its place as long as one before it is held. Its hold can end
//       earlier than theirs and than those after it, and it is not accepted after a later send.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { MessageId, Millis, UserId } from "#shared/protocol/ids.ts";

/** After this time a lane has given a send up, or has asked for its outcome. */
export const HOLD_MS = 5_000;
export const HOLDS_MAX = 1_024;

interface Refused {
  readonly id: MessageId;
  until: Millis;
}

export class Holds {
  /** By sender, in the order of their first refusals. */
  readonly #held = new LazyMap<UserId, Refused[]>();
  #count = 0;

  hold(sender: UserId, id: MessageId, arrivedMs: Millis, ranMs: Millis): void {
    const until = ranMs + HOLD_MS;
    const before = this.#held.get(sender) ?? [];
    const first = before.findIndex((refused) => refused.until > arrivedMs || refused.id === id);
    const kept = first < 0 ? [] : before.slice(first); // holds.4
    const known = kept.find((refused) => refused.id === id);
    if (known === undefined) kept.push({ id, until });
    else known.until = until;
    this.#set(sender, kept);
    if (this.#count > HOLDS_MAX) this.#forgetLargest(); // holds.1
  }

  isHeld(sender: UserId, id: MessageId, arrivedMs: Millis): boolean {
    for (const refused of this.#held.get(sender) ?? []) {
      if (refused.id === id) return false; // The sends before it are no longer waited for.
      if (refused.until > arrivedMs) return true;
    }
    return false;
  }

  /** The send was resent, and accepted or refused permanently. */
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

  #forgetLargest(): void {
    let largest: readonly [UserId, Refused[]] | undefined;
    for (const entry of this.#held) {
      if (largest === undefined || entry[1].length > largest[1].length) largest = entry;
    }
    if (largest !== undefined) this.#set(largest[0], []);
  }
}
