// Partition map: which partition a room belongs to while partitions are doubled one by one.
//
// A partition p serves the rooms with fnv1a32(room) mod `of` = p. A split doubles its `of`: each of
// its rooms stays in p or moves to its upper half, p + the old `of`. So a cluster that was created
// with `first` partitions has partitions of `of` = first, 2 first, 4 first, …
//
// Owns: the arithmetic, and the knowledge of one process. Does not own: the split
// (services/room/core/partition.ts), its storage (ports/archive.ts).
//
//   partition-map.1. Every room belongs to exactly one partition, whatever was learned.
//   partition-map.2. What was learned is never forgotten, and a smaller `of` changes nothing.
//   partition-map.3. A partition above `first` exists only after the split that began it. So to
//        learn of it is to learn of that split, and of those before it.

import { fnv1a32 } from "./ids.ts";
import type { Partition, RoomId } from "./ids.ts";

/** The most partitions of a cluster. A log costs NATS a stream, and a claim each failover. */
export const PARTITIONS_MAX = 1_024;

/**
 * A cluster of fewer partitions may be split up to this number without another configuration of its
 * NATS servers: their users have rights on so many logs (infra/nats/permissions.ts).
 */
export const PERMITTED_PARTITIONS = 64;

/** Whether a cluster of `first` partitions can become one of `of` by doubling. */
export function isDoubling(of: number, first: number): boolean {
  if (!Number.isSafeInteger(of) || of > PARTITIONS_MAX) return false;
  let doubled = first;
  while (doubled < of) doubled *= 2;
  return doubled === of;
}

/** The `of` of a partition that has not split since it began. */
export function initialOf(p: Partition, first: number): number {
  let of = first;
  while (of <= p) of *= 2;
  return of;
}

/** The first log sequence of a partition's log. An upper half begins behind a watermark of 1. */
export function firstLogSeq(p: Partition, first: number): number {
  return p < first ? 1 : 2;
}

/** Whether a room belongs to partition `p` of `of`. */
export function isRoomOf(room: RoomId, p: Partition, of: number): boolean {
  return fnv1a32(room) % of === p;
}

export class PartitionMap {
  readonly first: number;
  readonly #of = new Map<Partition, number>();

  constructor(first: number) {
    this.first = first;
  }

  /** The number of partitions, if all were split as often as the one that was split most often. */
  get partitions(): number {
    return Math.max(this.first, ...this.#of.values());
  }

  /** The number of partitions that exist, as far as this map knows: each split begins one. */
  get count(): number {
    let count = this.first;
    for (const [p, of] of this.#of) count += Math.log2(of / initialOf(p, this.first));
    return count;
  }

  of(p: Partition): number {
    return this.#of.get(p) ?? initialOf(p, this.first);
  }

  partitionOf(room: RoomId): Partition {
    const hash = fnv1a32(room);
    let of = this.first;
    let p = hash % of;
    while (this.of(p) > of) {
      of *= 2;
      p = hash % of;
    }
    return p;
  }

  /**
   * Learns that `p` exists, or that it serves by `of`. Returns the partitions that have lost rooms
   * by it, as far as this map is concerned: none when it was known, or cannot be.
   */
  learn(p: Partition, of = initialOf(p, this.first)): Partition[] {
    if (!isDoubling(of, this.first) || p >= of) return [];
    const split: Partition[] = [];
    // partition-map.3: from `p` down to its parents.
    for (let [at, own] = [p, of]; ;) {
      if (own > this.of(at)) {
        this.#of.set(at, own);
        split.push(at);
      }
      own = initialOf(at, this.first);
      if (own === this.first) return split;
      at -= own / 2;
    }
  }
}
