// Sampling: which messages are traced.
//
//   sampling.1. A share `ratio` of all sends, chosen by chance; with ratio 0 not even the dice are thrown.
//   sampling.2. A send whose own traceparent says "sampled" is traced whatever the ratio, at most
//        FORCED_RATE of them: anybody may ask, and a trace costs a hundred times its message.
//   sampling.3. A trace goes on under the sender's context if that is one; anything else is ignored.

import { Gcra } from "#shared/kit/gcra.ts";
import type { Rate } from "#shared/kit/gcra.ts";
import { isSampled, isTraceparent } from "#shared/kit/traceparent.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { Millis } from "#shared/protocol/ids.ts";

export const FORCED_RATE: Rate = { perSecond: 5, burst: 50 };
const ALL = "all";

/** Under which context a sampled message's first span stands. */
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

  /** `given`: what the sender wrote into `trace`. Undefined: this one is not traced. */
  pick(given: string | undefined, now: Millis): Sampled | undefined {
    const parent = isTraceparent(given) ? given : undefined; // sampling.3
    if (parent !== undefined && isSampled(parent) && this.#forced.take(ALL, now).ok) {
      return { parent }; // sampling.2
    }
    if (this.ratio <= 0 || this.#random.next32() / 0x1_0000_0000 >= this.ratio) return undefined;
    return { parent };
  }
}
