// Send order: which send of one connection may pass now, so that what is acknowledged keeps the order
// in which it was sent for the first time (O4).
//
// Owns: the sends that were refused for the time being and have to come again, room by room. Does not
// own: why a send is refused, the lane, what the owner holds back (core/holds.ts of the room).
//
//   SO1. Every send gets its place when it comes for the first time and keeps it through refusals.
//   SO2. While refused sends of a room wait, only the first of them passes; every other send of the
//        room is refused and takes its place among them.
//   SO3. A client that does not send the first of them again for POSTPONED_MS gives up their order:
//        all of them are forgotten, and any send passes.
//   SO4. At most POSTPONED_SENDS_MAX are remembered. One that finds no place is refused like the
//        others, and gets its place when it comes again.
//   SO5. Passed sends without an answer are remembered as long; the session bounds their number.

import type { Millis, RoomId } from "#shared/protocol/ids.ts";
import { POSTPONED_MS, POSTPONED_SENDS_MAX } from "./bounds.ts";

interface Place {
  readonly id: string;
  readonly place: number;
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
    this.forget(room); // SO3
    return true;
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

  /** It passed, and was refused for the time being. */
  returned(room: RoomId, id: string, now: Millis): void {
    this.#postpone(room, id, this.#land(room, id), now);
  }

  /** It was refused for the time being before it passed. */
  postpone(room: RoomId, id: string, now: Millis): void {
    this.#postpone(room, id, this.#passed.get(`${room} ${id}`)?.place, now);
  }

  forget(room: RoomId): void {
    this.#count -= this.#waiting.get(room)?.sends.length ?? 0;
    this.#waiting.delete(room);
  }

  #postpone(room: RoomId, id: string, known: number | undefined, now: Millis): void {
    const waiting = this.#waiting.get(room) ?? { sends: [], until: 0 };
    const { sends } = waiting;
    const isNew = sends.every((send) => send.id !== id);
    if (isNew) {
      if (this.#count >= POSTPONED_SENDS_MAX) return; // SO4
      const place = known ?? ++this.#places;
      const later = sends.findIndex((send) => send.place > place);
      sends.splice(later < 0 ? sends.length : later, 0, { id, place });
      this.#count++;
      this.#waiting.set(room, waiting);
    }
    if (sends[0]?.id === id) waiting.until = now + POSTPONED_MS;
  }

  /** Takes it out of those that wait; returns its place among them. */
  #remove(room: RoomId, id: string, now: Millis): number | undefined {
    const waiting = this.#waiting.get(room);
    const index = waiting?.sends.findIndex((send) => send.id === id) ?? -1;
    if (waiting === undefined || index < 0) return undefined;
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
