// RefusedWrites: the writes that an owner refused permanently. A later copy gets the same answer.
//
// The reason of a permanent refusal can end: the sender gets the right, or the message that
// `target` names is written. A copy of the refused write may arrive after that. The lane resends
// what has no answer, and so does a client whose connection broke. If that copy were accepted, a
// message would be stored although its sender received an error (I2), or it would get a number
// behind later messages of its sender (O4).
//
// Owns: the refused writes of one tenure. Does not own: the reasons (rights.ts, changes.ts),
// temporary refusals (holds.ts).
//
//   refused-writes.1. A refusal is kept for REFUSAL_KEPT_MS, by room, sender and id. Within that
//       time the owner gives no number to that id.
//   refused-writes.2. At most REFUSALS_MAX refusals are kept. Above that the oldest is forgotten,
//       and its write is judged again.

import type { Write } from "#shared/protocol/commands.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Millis } from "#shared/protocol/ids.ts";

/** So long the SDK sends a message again that has no answer. */
export const REFUSAL_KEPT_MS = 5 * 60_000;
export const REFUSALS_MAX = 1_024;

type Named = Pick<Write, "room" | "from" | "id">;

export class RefusedWrites {
  /** In the order of the refusals. */
  readonly #kept = new Map<string, { readonly error: ErrorName; readonly until: Millis }>();

  get size(): number {
    return this.#kept.size;
  }

  add(write: Named, error: ErrorName, now: Millis): void {
    const key = keyOf(write);
    if (this.find(write, now) !== undefined) return;
    this.#kept.set(key, { error, until: now + REFUSAL_KEPT_MS });
    for (const [oldest, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= REFUSALS_MAX) break; // refused-writes.2
      this.#kept.delete(oldest);
    }
  }

  find(write: Named, now: Millis): ErrorName | undefined {
    if (this.#kept.size === 0) return undefined;
    const key = keyOf(write);
    const refusal = this.#kept.get(key);
    if (refusal === undefined) return undefined;
    if (refusal.until > now) return refusal.error;
    this.#kept.delete(key);
    return undefined;
  }
}

/** Rooms and ids have no space. */
function keyOf({ room, from, id }: Named): string {
  return `${room} ${id} ${from}`;
}
