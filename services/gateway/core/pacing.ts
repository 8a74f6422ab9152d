// Pacing: how long a room waits between two flushes, and how long lanes do.
//
// Rooms. A socket write is nearly the whole cost of a delivery, and it costs the same for one line as for
// fifty. So a hot room should write seldom and much, a quiet one at once. The measure of "hot" is
// the room's own last flush: waiting 8 × its cost keeps a room below a ninth of one core, whatever
// the number of its members; rooms of five members wait a fraction of a millisecond.
// Rejected: a fixed interval (it delays quiet rooms) and counting messages (it ignores members).
//
// Lanes. A batch that leaves alone wakes NATS, an owner, NATS and this gateway again, for some 100 µs
// each; ten batches that leave together wake them once. So all lanes leave at the same moments, and
// after a flush of n lanes the next one is at least n ms away. One message now and then waits for
// nothing, a hot room (one lane) for a millisecond, thousands of rooms for up to LANES_GAP_MAX_MS.
// Rejected: a pace per lane (with 16 lanes each of them is nearly empty at any moment), and counting
// commands (a hot room would wait, and its commands are batched by the log's own pace anyway).

import type { Millis } from "#shared/protocol/ids.ts";
import { FLUSH_COST_FACTOR, FLUSH_GAP_MAX_MS, LANES_GAP_MAX_MS } from "./bounds.ts";

/** The pace of all rooms of a gateway. Its numbers may be changed while it runs. */
export interface FlushPace {
  factor: number;
  gapMaxMs: number;
}

export function defaultPace(): FlushPace {
  return { factor: FLUSH_COST_FACTOR, gapMaxMs: FLUSH_GAP_MAX_MS };
}

/** The shortest time from the end of a flush that cost `costMs` to the beginning of the next. */
export function gapAfter(costMs: number, pace: FlushPace = defaultPace()): number {
  return Math.min(pace.gapMaxMs, Math.max(0, costMs) * pace.factor);
}

/** When the lanes may leave. */
export class LanesPace {
  #notBefore: Millis = 0;

  /** 0: now. */
  waitMs(now: Millis): number {
    return Math.max(0, this.#notBefore - now);
  }

  left(lanes: number, now: Millis): void {
    this.#notBefore = now + Math.min(lanes, LANES_GAP_MAX_MS);
  }
}
