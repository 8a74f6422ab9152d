// Dice: everything that is left to chance in a simulated world, from its seed.
//
// Each part of a world throws its own dice, so that one more throw in one part changes nothing in
// the others, and a seed stays comparable while the simulation grows.

import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import { fnv1a32 } from "#shared/protocol/ids.ts";

export class Dice {
  readonly random: Random;

  constructor(seed: number, name: string) {
    this.random = seededRandom(fnv1a32(`${name} ${seed}`));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.random.next32() < probability * 0x1_0000_0000;
  }

  /** A whole number in [from, to]. */
  int(from: number, to: number): number {
    return from + below(this.random, to - from + 1);
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + (this.random.next32() / 0x1_0000_0000) * (to - from);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[below(this.random, items.length)];
  }
}
