// Pacing: how long a room waits between two flushes.
//
// A socket write is nearly the whole cost of a delivery, and it costs the same for one line as for
// fifty. So a hot room should write seldom and much, a quiet one at once. The measure of "hot" is
// the room's own last flush: waiting 4 × its cost keeps a room below a fifth of one core, whatever
// the number of its members; rooms of five members wait a fraction of a millisecond.
//
// Rejected: a fixed interval (it delays quiet rooms) and counting messages (it ignores members).

import { FLUSH_COST_FACTOR, FLUSH_GAP_MAX_MS } from "./bounds.ts";

/** The shortest time from the end of a flush that cost `costMs` to the beginning of the next. */
export function gapAfter(costMs: number): number {
  return Math.min(FLUSH_GAP_MAX_MS, Math.max(0, costMs) * FLUSH_COST_FACTOR);
}
