// Rendezvous hashing: every process computes the same owner from the same members, and a member
// that comes or goes moves only its own share.

import { fnv1a32 } from "../protocol/ids.ts";

/** The member with the highest weight for `key`; undefined when there are none. */
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

/** FNV's high bits barely move with the last characters; a finaliser spreads them. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
