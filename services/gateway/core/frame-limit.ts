// FrameLimit: the time at which the gateway may handle the next frame of one connection.
//
// Owns: the bucket of the connection. Admission owns the bucket of the user, which all their
// connections share.

import { GcraBucket } from "#shared/kit/gcra.ts";
import type { Millis } from "#shared/protocol/ids.ts";
import type { Admission, Peer } from "./admission.ts";
import { CONNECTION_SHARE, FRAME_DEBT_MAX_MS } from "./frame-costs.ts";

export class FrameLimit {
  readonly #admission: Admission;
  readonly #own = new GcraBucket();

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /**
   * Charges `cost` and returns 0, or returns the wait in ms. `peer` is undefined before the hello.
   */
  take(cost: number, peer: Peer | undefined, now: Millis): Millis {
    if (!this.#admission.isOn) return 0;
    const rate = this.#rate();
    const waitMs = this.#own.waitMs(rate, now, cost);
    if (waitMs > 0) return waitMs;
    const verdict = peer && this.#admission.take("frame", peer, now, cost);
    if (verdict?.ok === false) return verdict.afterMs;
    this.#own.charge(rate, now, cost);
    return 0;
  }

  /** Charges a frame that gets no answer. The wait grows to at most FRAME_DEBT_MAX_MS. */
  penalize(cost: number, now: Millis): void {
    const rate = this.#rate();
    if (this.#own.waitMs(rate, now, cost) < FRAME_DEBT_MAX_MS) this.#own.charge(rate, now, cost);
  }

  #rate(): { perSecond: number; burst: number } {
    const { perSecond, burst } = this.#admission.rateOf("frame");
    return { perSecond: perSecond * CONNECTION_SHARE, burst: burst * CONNECTION_SHARE };
  }
}
