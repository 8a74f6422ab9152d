// Pacing: the minimum time between two flushes of a room, and between two publications of the
// lanes.
//
// Rooms. Socket writes are nearly the whole cost of a delivery, and a write costs the same for one
// line as for fifty. A busy room therefore writes seldom, with many lines; a quiet room writes at
// once. The cost of the room's last flush measures how busy it is. A wait of 12 × this cost keeps a
// room below 1/13 of one core for any number of members. A room of five members waits for a
// fraction of a millisecond.
// Rejected: a fixed interval, because it delays quiet rooms; a count of messages, because it
// ignores members.
//
// Lanes. A batch on its own wakes NATS, an owner, NATS again and this gateway again, about 100 µs
// each, and becomes a log entry with its own fsync. Ten lanes that publish together do all of that
// once. So all lanes publish at the same moments, and the gap grows with the load: as many ms as
// lanes published, or 2 ms per command, whichever is more. A single message does not wait. Up to
// 250 messages a second the gap is at most 2 ms; from 500 a second on it is LANES_GAP_MAX_MS, for
// one room or for thousands. When many commands are spread over lanes with two or three each, every
// lane costs an entry for little work; the gap is then at most LANES_THIN_GAP_MAX_MS.
// Rejected: a pace per lane, because with 16 lanes each batch is nearly empty.

import type { Millis } from "#shared/protocol/ids.ts";
import {
  FLUSH_COST_FACTOR,
  FLUSH_GAP_MAX_MS,
  LANES_GAP_MAX_MS,
  LANES_THIN_GAP_MAX_MS,
} from "./bounds.ts";

/** The pace of all rooms of a gateway. Settings change it at run time. */
export interface FlushPace {
  factor: number;
  gapMaxMs: number;
}

export function defaultPace(): FlushPace {
  return { factor: FLUSH_COST_FACTOR, gapMaxMs: FLUSH_GAP_MAX_MS };
}

/**
 * The shortest time in ms from the end of a flush that cost `costMs` to the start of the next one.
 */
export function gapAfter(costMs: number, pace: FlushPace = defaultPace()): number {
  return Math.min(pace.gapMaxMs, Math.max(0, costMs) * pace.factor);
}

const MS_PER_COMMAND = 2;
/** Fewer commands per lane than this are few, when all lanes together have many. */
const FEW_PER_LANE = 4;
const MANY_COMMANDS = 24;

/** The times at which the lanes may publish. */
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
