// Expiries: the connections by the second in which their tokens expire.
//
// Looking at every connection each second was the largest single cost of a gateway with idle
// connections. Here a look costs a step for each second in which some token expires.
//
//   expiries.1. Each holder is in the bucket of the second of its `endsAt`, and in no other. A
//        holder whose token does not expire is in none. There are no empty buckets, so there are at
//        most as many buckets as holders.
//   expiries.2. `due` returns each holder whose second has passed, at most a second late, until it
//        is removed. It depends on the given time alone, so a clock may jump.

import type { Millis } from "#shared/protocol/ids.ts";

const BUCKET_MS = 1_000;

export interface Expiring {
  /** By the wall clock; Infinity: never. */
  readonly endsAt: Millis;
  /** Only Expiries sets it. */
  bucket: number | undefined;
}

export class Expiries<H extends Expiring> {
  readonly #buckets = new Map<number, Set<H>>();

  /** The number of buckets. */
  get size(): number {
    return this.#buckets.size;
  }

  /** The token of the holder was verified, first or again. */
  note(holder: H): void {
    const { endsAt } = holder;
    const bucket = endsAt === Infinity ? undefined : Math.floor(endsAt / BUCKET_MS);
    if (bucket === holder.bucket) return;
    this.remove(holder);
    if (bucket === undefined) return;
    const holders = this.#buckets.get(bucket);
    if (holders === undefined) this.#buckets.set(bucket, new Set([holder]));
    else holders.add(holder);
    holder.bucket = bucket;
  }

  remove(holder: H): void {
    const { bucket } = holder;
    if (bucket === undefined) return;
    const holders = this.#buckets.get(bucket);
    holders?.delete(holder);
    if (holders?.size === 0) this.#buckets.delete(bucket);
    holder.bucket = undefined;
  }

  due(now: Millis): H[] {
    const current = Math.floor(now / BUCKET_MS);
    const due: H[] = [];
    for (const [bucket, holders] of this.#buckets) if (bucket < current) due.push(...holders);
    return due;
  }
}
