// Rendezvous hashing: every process computes the same owner from the same members. A member that
// joins or leaves moves only its own share.
//
// The rank of a member for a key is a uniform random number, so all members get equal shares. With
// weights the rank is the score −w / ln(u) of weighted rendezvous hashing, u uniform in (0, 1):
// shares are proportional to the weights, and a changed weight moves keys from or to that member
// only. Scores are compared by their logarithm to base 2, so a weight is added, in octaves. Equal
// weights choose the same owner as no weights.

import { fnv1a32 } from "../protocol/ids.ts";

/** The member with the highest hash for `key`; undefined when there are no members. */
export function rendezvous<M extends string>(key: string, members: Iterable<M>): M | undefined {
  let best: M | undefined;
  let bestHash = -1;
  for (const member of members) {
    const hash = hashOf(key, member);
    if (hash > bestHash || (hash === bestHash && best !== undefined && member < best)) {
      best = member;
      bestHash = hash;
    }
  }
  return best;
}

/** log2 of the score −1 / ln(u) of `member` for `key`. The logarithm of its weight is added. */
export function rendezvousScore(key: string, member: string): number {
  const u = (hashOf(key, member) + 0.5) / 0x1_0000_0000;
  return -Math.log2(-Math.log(u));
}

function hashOf(key: string, member: string): number {
  return mix(fnv1a32(`${member}\n${key}`));
}

/** The last characters barely change the high bits of FNV. This finaliser spreads them. */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
