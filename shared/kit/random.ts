// Random: xoshiro128**, a small generator with a period of 2^128 - 1, for reproducible runs. Not
// for secrets. splitmix32 expands the seed, so that neighbouring seeds give unrelated sequences.

import type { Random } from "../ports/clock.ts";

export function seededRandom(seed: number): Random {
  let mix = seed >>> 0;
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, d] = [splitmix(), splitmix(), splitmix(), splitmix()];
  return {
    next32(): number {
      const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = rotate(d, 11);
      return result;
    },
  };
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** A whole number in [0, bound), for bounds far below 2^32. */
export function below(random: Random, bound: number): number {
  return Math.floor((random.next32() / 0x1_0000_0000) * bound);
}
