// MemoryAccount: how many bytes one process holds, by category, against one bound for all
// categories.
//
// Owns: the numbers. Does not own: the data, or which data is shed above the bound. The owner of
// the account sheds in an order that it documents.
//
//   memory-account.1. The categories are a closed set, given at the start: they are labels of a
//        metric.
//   memory-account.2. `used` is the sum of the categories at all times, and no category is below
//        zero: a caller subtracts only bytes that it added before.
//   memory-account.3. A change costs two additions, so hot paths may call it for each item.

import { assert } from "./assert.ts";

export class MemoryAccount<C extends string = string> {
  /** The bound on the sum of all categories, in bytes. */
  bytesMax: number;
  readonly #categories = new Map<C, { bytes: number }>();
  #used = 0;

  constructor(categories: readonly C[], bytesMax: number) {
    this.bytesMax = bytesMax;
    for (const category of categories) this.#categories.set(category, { bytes: 0 });
  }

  /** The sum of all categories, in bytes. */
  get used(): number {
    return this.#used;
  }

  /** Bytes above the bound; 0 when `used` is within it. */
  get over(): number {
    return Math.max(0, this.#used - this.bytesMax);
  }

  usedBy(category: C): number {
    return this.#category(category).bytes;
  }

  /** Adds `bytes` to `category`; a negative number subtracts. */
  add(category: C, bytes: number): void {
    const held = this.#category(category);
    held.bytes += bytes;
    this.#used += bytes;
    // memory-account.2
    assert(held.bytes >= 0, "a category releases only bytes that were added to it");
  }

  /** Sets `category` to `bytes`, for a category whose owner counts its own bytes. */
  set(category: C, bytes: number): void {
    this.add(category, bytes - this.usedBy(category));
  }

  /** Each category and its bytes, in the order of the constructor. */
  *[Symbol.iterator](): Generator<readonly [C, number]> {
    for (const [category, { bytes }] of this.#categories) yield [category, bytes];
  }

  #category(category: C): { bytes: number } {
    const held = this.#categories.get(category);
    assert(held !== undefined, "the category was given to the constructor"); // memory-account.1
    return held;
  }
}

/**
 * The cost of a one-byte-per-unit string beside its units: its header and the slot that holds it.
 */
const STRING_OVERHEAD = 32;

/**
 * The bytes of a string that shares no memory. One unit above U+00FF makes all units two bytes
 * wide.
 */
export function stringBytes(text: string): number {
  return STRING_OVERHEAD + (WIDE.test(text) ? 2 * text.length : text.length);
}

const WIDE = /[\u0100-\uffff]/;
