// FrameLimit: the cost of a client's frame, and the time at which the gateway may handle the next
// frame of one connection.
//
// Owns: the bucket of the connection. Admission owns the bucket of the user, which all their
// connections share. The unit of cost is about one ping: read, decode, answer.

import { GcraBucket } from "#shared/kit/gcra.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { Admission, Peer } from "./admission.ts";

/** A frame costs 1, and 1 more for each full stretch of this many characters. */
const CHARS_PER_UNIT = 8 * 1024;
/** The cost of one connection in one iteration of the event loop. Further frames wait. */
export const CONNECTION_COST_PER_ITERATION_MAX = 128;
/** The cost of all connections in one iteration: about ten milliseconds. */
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

/** It is the bucket of the connection itself: an object less for each connection. */
export class FrameLimit extends GcraBucket {
  readonly #admission: Admission;

  constructor(admission: Admission) {
    super();
    this.#admission = admission;
  }

  /**
   * Charges `cost` and returns 0, or returns the wait in ms. `peer` is undefined before the hello.
   */
  take(cost: number, peer: Peer | undefined, now: Millis): Millis {
    if (!this.#admission.isOn) return 0;
    const rate = this.#rate();
    const waitMs = this.waitMs(rate, now, cost);
    if (waitMs > 0) return waitMs;
    const verdict = peer && this.#admission.take("frame", peer, now, cost);
    if (verdict?.ok === false) return verdict.afterMs;
    this.charge(rate, now, cost);
    return 0;
  }

  /** Charges a frame that gets no answer. The wait grows to at most FRAME_DEBT_MAX_MS. */
  penalize(cost: number, now: Millis): void {
    const rate = this.#rate();
    if (this.waitMs(rate, now, cost) < FRAME_DEBT_MAX_MS) this.charge(rate, now, cost);
  }

  #rate(): { perSecond: number; burst: number } {
    const { perSecond, burst } = this.#admission.rateOf("frame");
    return { perSecond: perSecond * CONNECTION_SHARE, burst: burst * CONNECTION_SHARE };
  }
}
