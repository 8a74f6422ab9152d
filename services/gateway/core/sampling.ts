// Sampling: the choice of traced messages.
//
//   sampling.1. A random share `ratio` of all sends is traced. With ratio 0 no random number is
//        drawn.
//   sampling.2. A send whose own traceparent has the sampled flag is traced at any ratio, up to
//        FORCED_RATE. The bound exists because any client can set the flag, and a trace costs a
//        hundred times its message.
//   sampling.3. A trace continues the sender's context if it is a valid traceparent. Other text is
//        ignored.

import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate } from "#shared/kit/gcra.ts";
import { isSampled, isTraceparent } from "#shared/kit/traceparent.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";

export const FORCED_RATE: Rate = { perSecond: 5, burst: 50 };
const ALL = "all";

/** The parent context of a sampled message's first span. */
export interface Sampled {
  readonly parent: string | undefined;
}

export class Sampling {
  ratio: number;
  readonly #random: Random;
  readonly #forced = new Gcra(FORCED_RATE, 1);

  constructor(random: Random, ratio = 0) {
    this.#random = random;
    this.ratio = ratio;
  }

  /** `given`: the `trace` field of the send. Undefined: the message is not traced. */
  pick(given: string | undefined, now: Millis): Sampled | undefined {
    const parent = isTraceparent(given) ? given : undefined; // sampling.3
    if (parent !== undefined && isSampled(parent) && this.#forced.take(ALL, now).ok) {
      return { parent }; // sampling.2
    }
    if (this.ratio <= 0 || this.#random.next32() / 0x1_0000_0000 >= this.ratio) return undefined;
    return { parent };
  }
}
