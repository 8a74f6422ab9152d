// SendOrder: decides which send of one connection may pass, so that acknowledged sends keep the
// order of their first attempt (O4).
//
// Owns: the temporarily refused sends of each room. Does not own: the reason of a refusal, the
// lane, the holds of the owner (services/room/core/holds.ts).
//
//   send-order.1. A send gets its place at its first attempt and keeps it through refusals.
//   send-order.2. While a room has refused sends, only the first of them passes. Every other send
//        of the room is refused and gets its place among them.
//   send-order.3. When the client does not resend the first one for POSTPONED_MS after it is due,
//        it gives up the order: all places of the room are dropped, and any send passes. A send
//        that is due after more than DUE_MAX_MS, in slow mode, counts as due then: its client may
//        have dropped it.
//   send-order.4. At most POSTPONED_SENDS_MAX sends have a place. One more is refused too, and gets
//        a place at a later attempt.
//   send-order.5. The refusal of a send that waits only for its predecessor names the time at which
//        the first one is due, at least ORDER_AFTER_MS. When the first one is already late, the
//        refusal names how late it is, at most ORDER_AFTER_MAX_MS. So a client that does not resend
//        the first one retries the others at growing intervals.
//   send-order.6. Passed sends without an answer keep their place. The session bounds their number.

import { LazyMap } from "#shared/kit/lazy-map.ts";
import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import { DUE_MAX_MS, ORDER_AFTER_MAX_MS, ORDER_AFTER_MS } from "./bounds.ts";
import { POSTPONED_MS, POSTPONED_SENDS_MAX } from "./bounds.ts";

interface Place {
  readonly id: string;
  readonly place: number;
  /** The retry time of its last refusal. */
  dueAt: Millis;
}

interface Waiting {
  /** In the order of their places. */
  readonly sends: Place[];
  until: Millis;
}

interface Passed {
  readonly place: number;
  copies: number;
}

export class SendOrder {
  readonly #waiting = new LazyMap<RoomId, Waiting>();
  /** Passed and unanswered sends, by room and id: a key of both would be made twice for a send. */
  readonly #passed = new LazyMap<RoomId, LazyMap<string, Passed>>();
  #places = 0;
  #count = 0;

  /** True when no earlier send of the room must come first. */
  mayPass(room: RoomId, id: string, now: Millis): boolean {
    const waiting = this.#waiting.get(room);
    if (waiting === undefined || waiting.sends[0]?.id === id) return true;
    if (waiting.until > now) return false;
    this.forget(room); // send-order.3
    return true;
  }

  /** The retry time in ms of a send that waits for its predecessor (send-order.5). */
  afterMs(room: RoomId, now: Millis): Millis {
    const dueAt = this.#waiting.get(room)?.sends[0]?.dueAt ?? now;
    const lateMs = Math.min(now - dueAt, ORDER_AFTER_MAX_MS);
    return Math.max(ORDER_AFTER_MS, Math.ceil(dueAt - now), Math.ceil(lateMs));
  }

  /** The send passes. `answered`, `returned` or `postpone` follows. */
  pass(room: RoomId, id: string, now: Millis): void {
    let inRoom = this.#passed.get(room);
    if (inRoom === undefined) this.#passed.set(room, (inRoom = new LazyMap()));
    const passed = inRoom.get(id);
    const place = this.#remove(room, id, now) ?? passed?.place ?? ++this.#places;
    inRoom.set(id, { place, copies: (passed?.copies ?? 0) + 1 });
  }

  /** The send got its final answer. */
  answered(room: RoomId, id: string, now: Millis): void {
    this.#land(room, id);
    this.#remove(room, id, now);
  }

  /** The send passed and then got a temporary refusal with `afterMs`. */
  returned(room: RoomId, id: string, now: Millis, afterMs: Millis): void {
    this.#postpone(room, { id, place: this.#land(room, id), dueAt: now + afterMs }, now);
  }

  /** The send got a temporary refusal before it passed. */
  postpone(room: RoomId, id: string, now: Millis, afterMs: Millis): void {
    const place = this.#passed.get(room)?.get(id)?.place;
    this.#postpone(room, { id, place, dueAt: now + afterMs }, now);
  }

  forget(room: RoomId): void {
    this.#count -= this.#waiting.get(room)?.sends.length ?? 0;
    this.#waiting.delete(room);
  }

  #postpone(
    room: RoomId,
    { id, place: known, dueAt }: Omit<Place, "place"> & { readonly place: number | undefined },
    now: Millis,
  ): void {
    const waiting = this.#waiting.get(room) ?? { sends: [], until: 0 };
    const { sends } = waiting;
    const before = sends.find((send) => send.id === id);
    if (before !== undefined) before.dueAt = dueAt;
    else {
      if (this.#count >= POSTPONED_SENDS_MAX) return; // send-order.4
      const place = known ?? ++this.#places;
      const later = sends.findIndex((send) => send.place > place);
      sends.splice(later < 0 ? sends.length : later, 0, { id, place, dueAt });
      this.#count++;
      this.#waiting.set(room, waiting);
    }
    if (sends[0]?.id === id) waiting.until = keptUntil(now, dueAt);
  }

  /** Removes a waiting send and returns its place. */
  #remove(room: RoomId, id: string, now: Millis): number | undefined {
    const waiting = this.#waiting.get(room);
    if (waiting === undefined) return undefined;
    const index = waiting.sends.findIndex((send) => send.id === id);
    if (index < 0) return undefined;
    const [removed] = waiting.sends.splice(index, 1);
    this.#count--;
    const [first] = waiting.sends;
    if (first === undefined) this.#waiting.delete(room);
    else waiting.until = keptUntil(now, first.dueAt);
    return removed?.place;
  }

  #land(room: RoomId, id: string): number | undefined {
    const inRoom = this.#passed.get(room);
    const passed = inRoom?.get(id);
    if (inRoom === undefined || passed === undefined) return undefined;
    if (--passed.copies === 0) inRoom.delete(id);
    if (inRoom.size === 0) this.#passed.delete(room);
    return passed.place;
  }
}

/** send-order.3. */
function keptUntil(now: Millis, dueAt: Millis): Millis {
  return Math.max(now, Math.min(dueAt, now + DUE_MAX_MS)) + POSTPONED_MS;
}
