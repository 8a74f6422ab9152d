// Rendezvous hashing: every process computes the same owner from the same members. A member that
// joins or leaves moves only its own share.

import { fnv1a32 } from "../protocol/ids.ts";

/** The member with the highest weight for `key`; undefined when there are no members. */
export function rendezvous<M extends string>(key: string, members: Iterable<M>): M | undefined {
  let best: M | undefined;
  let bestWeight = -1;
  for (const member of members) {
    const weight = mix(fnv1a32(`${member}\n${key}`));
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && member < best)) {
      best = member;
      bestWeight = weight;
    }
  }
  return best;
}

/** The last characters barely change the high bits of FNV. This finaliser spreads them. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
