// FrameCosts: the cost of a client's frame, and the cost that one iteration of the event loop
// handles.
//
// The unit is about the cost of a ping: read, decode, answer.

/** A frame costs 1, and 1 more for each full stretch of this many characters. */
const CHARS_PER_UNIT = 8 * 1024;
/** Frames of one connection in one iteration of the event loop. Further ones wait for the next. */
export const CONNECTION_COST_PER_ITERATION_MAX = 128;
/** Frames of all connections in one iteration: about ten milliseconds. */
export const COST_PER_ITERATION_MAX = 1_024;
/** The share of a user's frame rate that one connection may use. */
export const CONNECTION_SHARE = 0.5;
/** With more waiting characters than this, the gateway stops reading the socket. */
export const PENDING_CHARS_MAX = 16 * 1024;

/** The longest time that a socket is not read because of dropped control frames. */
export const FRAME_DEBT_MAX_MS = 30_000;

export function frameCost(chars: number): number {
  return 1 + Math.floor(chars / CHARS_PER_UNIT);
}
