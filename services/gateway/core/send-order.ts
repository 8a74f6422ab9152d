// Send order: which send of one connection may pass now, so that what is acknowledged keeps the order
// in which it was sent for the first time (O4).
//
// Owns: the sends that were refused for the time being and have to come again, room by room. Does not
// own: why a send is refused, the lane, what the owner holds back (core/holds.ts of the room).
//
//   send-order.1. Every send gets its place when it comes for the first time and keeps it through refusals.
//   send-order.2. While refused sends of a room wait, only the first of them passes; every other send of the
//        room is refused and takes its place among them.
//   send-order.3. A client that does not send the first of them again for POSTPONED_MS gives up their order:
//        all of them are forgotten, and any send passes.
//   send-order.4. At most POSTPONED_SENDS_MAX are remembered. One that finds no place is refused like the
//        others, and gets its place when it comes again.
//   send-order.5. A send that waits for its turn alone comes again when the first one is due, as its refusal said,
//        and ORDER_AFTER_MS from now at the earliest. While the first one is late, the wait is as long
//        as it is late, at most ORDER_AFTER_MAX_MS: a client that gave it up asks less and less often.
//   send-order.6. Passed sends without an answer are remembered as long; the session bounds their number.

import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import { ORDER_AFTER_MAX_MS, ORDER_AFTER_MS, POSTPONED_MS, POSTPONED_SENDS_MAX } from "./bounds.ts";

interface Place {
  readonly id: string;
  readonly place: number;
  /** When its last refusal asked it to come again. */
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
  readonly #waiting = new Map<RoomId, Waiting>();
  /** Passed and unanswered, by room and id. */
  readonly #passed = new Map<string, Passed>();
  #places = 0;
  #count = 0;

  /** True when no earlier send of the room has to come first. */
  mayPass(room: RoomId, id: string, now: Millis): boolean {
    const waiting = this.#waiting.get(room);
    if (waiting === undefined || waiting.sends[0]?.id === id) return true;
    if (waiting.until > now) return false;
    this.forget(room); // send-order.3
    return true;
  }

  /** In how many ms a send that has to wait for its turn is to come again (send-order.5). */
  afterMs(room: RoomId, now: Millis): Millis {
    const dueAt = this.#waiting.get(room)?.sends[0]?.dueAt ?? now;
    const lateMs = Math.min(now - dueAt, ORDER_AFTER_MAX_MS);
    return Math.max(ORDER_AFTER_MS, Math.ceil(dueAt - now), Math.ceil(lateMs));
  }

  /** It passed; `answered` or `postpone` follows. */
  pass(room: RoomId, id: string, now: Millis): void {
    const key = `${room} ${id}`;
    const passed = this.#passed.get(key);
    const place = this.#remove(room, id, now) ?? passed?.place ?? ++this.#places;
    this.#passed.set(key, { place, copies: (passed?.copies ?? 0) + 1 });
  }

  /** It was answered for good. */
  answered(room: RoomId, id: string, now: Millis): void {
    this.#land(room, id);
    this.#remove(room, id, now);
  }

  /** It passed, and was refused for the time being: it is to come again after `afterMs`. */
  returned(room: RoomId, id: string, now: Millis, afterMs: Millis): void {
    this.#postpone(room, { id, place: this.#land(room, id), dueAt: now + afterMs }, now);
  }

  /** It was refused for the time being before it passed, likewise. */
  postpone(room: RoomId, id: string, now: Millis, afterMs: Millis): void {
    const place = this.#passed.get(`${room} ${id}`)?.place;
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
    if (sends[0]?.id === id) waiting.until = now + POSTPONED_MS;
  }

  /** Takes it out of those that wait; returns its place among them. */
  #remove(room: RoomId, id: string, now: Millis): number | undefined {
    const waiting = this.#waiting.get(room);
    if (waiting === undefined) return undefined;
    const index = waiting.sends.findIndex((send) => send.id === id);
    if (index < 0) return undefined;
    const [removed] = waiting.sends.splice(index, 1);
    this.#count--;
    waiting.until = now + POSTPONED_MS;
    if (waiting.sends.length === 0) this.#waiting.delete(room);
    return removed?.place;
  }

  #land(room: RoomId, id: string): number | undefined {
    const key = `${room} ${id}`;
    const passed = this.#passed.get(key);
    if (passed === undefined) return undefined;
    if (--passed.copies === 0) this.#passed.delete(key);
    return passed.place;
  }
}
