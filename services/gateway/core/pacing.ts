// Pacing: how long a room waits between two flushes, and how long lanes do.
//
// Rooms. A socket write is nearly the whole cost of a delivery, and it costs the same for one line as for
// fifty. So a hot room should write seldom and much, a quiet one at once. The measure of "hot" is
// the room's own last flush: waiting 12 × its cost keeps a room below a thirteenth of one core, whatever
// the number of its members; rooms of five members wait a fraction of a millisecond.
// Rejected: a fixed interval (it delays quiet rooms) and counting messages (it ignores members).
//
// Lanes. A batch that leaves alone wakes NATS, an owner, NATS and this gateway again, for some 100 µs
// each, and becomes an entry of its own with an fsync of its own; ten that leave together do all
// that once. So all lanes leave at the same moments, and the more left, the later the next: as many
// ms later as there were lanes, or twice as many as there were commands. One message now and then
// waits for nothing, up to 250 a second for 2 ms at most; from 500 a second on, of one gateway, the
// gap grows to LANES_GAP_MAX_MS, whether they are of one room or of thousands. Where many commands are
// but two or three a lane, every lane costs an entry for little; then it is LANES_THIN_GAP_MAX_MS.
// Rejected: a pace per lane (with 16 lanes each of them is nearly empty at any moment).

import type { Millis } from "#shared/protocol/ids.ts";
import {
  FLUSH_COST_FACTOR,
  FLUSH_GAP_MAX_MS,
  LANES_GAP_MAX_MS,
  LANES_THIN_GAP_MAX_MS,
} from "./bounds.ts";

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

const MS_PER_COMMAND = 2;
/** Fewer commands than that in a lane are few, if all lanes together have many. */
const FEW_PER_LANE = 4;
const MANY_COMMANDS = 24;

/** When the lanes may leave. */
export class LanesPace {
  #notBefore: Millis = 0;

  /** 0: now. */
  waitMs(now: Millis): number {
    return Math.max(0, this.#notBefore - now);
  }

  left({ lanes, commands }: { lanes: number; commands: number }, now: Millis): void {
    const gapMs = Math.max(lanes, MS_PER_COMMAND * commands);
    const isThin = commands >= MANY_COMMANDS && commands < FEW_PER_LANE * lanes;
    this.#notBefore = now + Math.min(gapMs, isThin ? LANES_THIN_GAP_MAX_MS : LANES_GAP_MAX_MS);
  }
}
