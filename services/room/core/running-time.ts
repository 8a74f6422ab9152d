// RunningTime: how long an owner has run. Pure.
//
// A process that was paused reads the sends of the pause at its end, and cannot know when each of
// them arrived. Deadlines that say which sends may still be on their way must not pass meanwhile.
//
// Owns: the sum. Does not own: the clock, and what is measured with it (holds.ts).
//
//   running-time.1. Time without any step counts as at most GAP_MS. An owner with a room in
//        memory has a step at least every 250 ms while its process runs (the tick of
//        runtime/room-node.ts). Without one it measures nothing.

import type { Millis } from "#shared/protocol/ids.ts";

export const GAP_MS = 1_000;

export class RunningTime {
  #at: Millis | undefined;
  #ran: Millis = 0;

  /** The running time at the step of the monotonic time `now`; `now` never falls. */
  at(now: Millis): Millis {
    const gap = now - (this.#at ?? now);
    this.#at = now;
    this.#ran += Math.min(gap, GAP_MS); // running-time.1
    return this.#ran;
  }
}
