// Cursor: the position of the application in one room.
//
// Owns: the last delivered sequence number, the last known head, `born`. Does not own: requests. It
// classifies an event; room.ts decides what to do.
//
//   cursor.1. `last` grows by one for each "next" event, and in no other way after `begin`.
//   cursor.2. A number at or below `last` is a "repeat". A number above last + 1 is a "gap", and no
//       event beyond a gap is "next" before the gap is filled.
//   cursor.3. A room with another birth, or with a head below `last`, is a "reset": its numbers
//       name other events. A room that had no message before (born "") is not a reset.
//   cursor.4. A room that was empty at the join gets its birth with event 1: it is the id of that
//       event. So a cursor above 0 knows the birth of its room (K5), unless the application passed
//       a cursor without one.

import type { Seq } from "#shared/protocol/ids.ts";

/** The position fields of `joined`. */
export interface RoomPosition {
  readonly from: Seq;
  readonly head: Seq;
  readonly born: string;
}

export class Cursor {
  #last: Seq | undefined;
  #head: Seq = 0;
  #born: string | undefined;

  /**
   * `after`: the application has all events up to this number, from an earlier run. `born`: the
   * birth of the room in that run.
   */
  constructor(after?: Seq, born?: string) {
    this.#last = after;
    this.#born = born;
  }

  /** Undefined before the first `joined`. */
  get last(): Seq | undefined {
    return this.#last;
  }

  get head(): Seq {
    return this.#head;
  }

  /** "" for a room without an event; undefined before the first `joined`. */
  get born(): string | undefined {
    return this.#born;
  }

  begin({ from, head, born }: RoomPosition): "begun" | "gap" | "reset" {
    const last = this.#last;
    if (last !== undefined && (head < last || this.#isRecreated(born))) {
      this.#last = undefined;
      this.#head = 0;
      this.#born = undefined;
      return "reset"; // cursor.3
    }
    this.#born = born;
    this.#head = head;
    if (last === undefined) this.#last = from - 1;
    else if (from > last + 1) return "gap";
    return "begun";
  }

  take(seq: Seq, id: string): "next" | "repeat" | "gap" {
    if (this.#last === undefined || seq > this.#last + 1) return "gap";
    if (seq <= this.#last) return "repeat";
    this.#last = seq; // cursor.1
    if (seq === 1 && this.#born === "") this.#born = id; // cursor.4
    if (seq > this.#head) this.#head = seq;
    return "next";
  }

  /** True when nothing up to `seq` is missing. */
  covers(seq: Seq): boolean {
    return this.#last !== undefined && this.#last >= seq;
  }

  #isRecreated(born: string): boolean {
    return this.#born !== undefined && this.#born !== "" && this.#born !== born;
  }
}
