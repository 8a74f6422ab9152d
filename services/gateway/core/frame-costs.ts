// FrameCosts: what a client's frame counts for, and how much of that one turn of the event loop takes.
//
// The unit is about what a ping costs: to be read, decoded and answered.

/** A frame counts for one, and for one more with each started stretch of so many characters. */
const CHARS_PER_UNIT = 8 * 1024;
/** What one connection may have handled in one turn of the event loop. The rest waits for the next. */
export const CONNECTION_COST_PER_ITERATION_MAX = 128;
/** What all connections together may have handled in one turn: some ten milliseconds. */
export const COST_PER_ITERATION_MAX = 1_024;
/** The share of a user's frame rate that one of their connections may use up. */
export const CONNECTION_SHARE = 0.5;
/** Characters that wait for their turn, above which the socket is not read meanwhile. */
export const PENDING_CHARS_MAX = 16 * 1024;

/** How long a socket stays unread at most for control frames beyond the rate, which are dropped. */
export const FRAME_DEBT_MAX_MS = 30_000;

export function frameCost(chars: number): number {
  return 1 + Math.floor(chars / CHARS_PER_UNIT);
}
