// SeededRng: a stream of random values that depends only on a seed and on the stream's name.
//
// Each part of a simulation draws from its own stream. An additional draw in one part therefore
// changes nothing in the other parts, and a seed stays comparable while the simulation grows.

import { below, seededRandom } from "#shared/kit/random.ts";
import type { Random } from "#shared/ports/clock.ts";
import { fnv1a32 } from "#shared/protocol/ids.ts";

/**
 * The name of each part's stream. Users and processes draw from streams named after their ids.
 * The names are input of the generator: a changed name changes every run of every seed.
 */
export const STREAMS = {
  options: "options",
  workload: "world",
  broker: "net",
  database: "database",
  skew: "skew",
  httpCaller: "door",
  faults: "faults",
  split: "split",
} as const;

export class SeededRng {
  readonly random: Random;

  constructor(seed: number, stream: string) {
    this.random = seededRandom(fnv1a32(`${stream} ${seed}`));
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
