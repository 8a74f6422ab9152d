// Cursor: how far one room has been handed over, and whether the next event is the next one.
//
// Owns: the last number that the application has, the room's head as far as it is known, `born`.
// Does not own: asking for anything. It says what an event is; the room decides what to do.
//
//   cursor.1. `last` grows by one for each event that is "next", and in no other way after `begin`.
//   cursor.2. A number at or below `last` is a "repeat"; one above last + 1 is a "gap", and nothing
//       beyond a gap is ever "next" before the gap was filled.
//   cursor.3. A room that was reborn, or that ends below `last`, is a "reset": numbers mean other events
//       now. One that merely had no message before (born "") was not reborn.

import type { Seq } from "#shared/protocol/ids.ts";

/** What `joined` says about where the room stands. */
export interface RoomPosition {
  readonly from: Seq;
  readonly head: Seq;
  readonly born: string;
}

export class Cursor {
  #last: Seq | undefined;
  #head: Seq = 0;
  #born: string | undefined;

  /** `after`: the application already has everything up to it, from an earlier life. */
  constructor(after?: Seq) {
    this.#last = after;
  }

  /** Undefined until the server said where the room begins for us. */
  get last(): Seq | undefined {
    return this.#last;
  }

  get head(): Seq {
    return this.#head;
  }

  begin({ from, head, born }: RoomPosition): "begun" | "gap" | "reset" {
    const last = this.#last;
    if (last !== undefined && (head < last || this.#isReborn(born))) {
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

  take(seq: Seq): "next" | "repeat" | "gap" {
    if (this.#last === undefined || seq > this.#last + 1) return "gap";
    if (seq <= this.#last) return "repeat";
    this.#last = seq; // cursor.1
    if (seq > this.#head) this.#head = seq;
    return "next";
  }

  /** True when nothing up to `seq` is missing. */
  covers(seq: Seq): boolean {
    return this.#last !== undefined && this.#last >= seq;
  }

  #isReborn(born: string): boolean {
    return this.#born !== undefined && this.#born !== "" && this.#born !== born;
  }
}
