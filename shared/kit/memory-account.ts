// Memory account: how many bytes one process holds, by named line, against one bound for all of them.
//
// Owns: the numbers. Does not own: what is held, and what is given up when the bound is exceeded; the
// owner of the account sheds in the order that it states.
//
//   memory-account.1. The lines are a closed set, given at the start: they are labels of a metric.
//   memory-account.2. `used` is the sum of the lines at all times, and no line is below zero: whoever subtracts has
//        added the same bytes before.
//   memory-account.3. A change costs two additions, so hot paths may call it for each item.

import { assert } from "./assert.ts";

export class MemoryAccount<L extends string = string> {
  /** Bytes that all lines may hold together. */
  bytesMax: number;
  readonly #lines = new Map<L, { bytes: number }>();
  #used = 0;

  constructor(lines: readonly L[], bytesMax: number) {
    this.bytesMax = bytesMax;
    for (const line of lines) this.#lines.set(line, { bytes: 0 });
  }

  /** Bytes of all lines. */
  get used(): number {
    return this.#used;
  }

  /** Bytes above the bound; 0 when there are none. */
  get over(): number {
    return Math.max(0, this.#used - this.bytesMax);
  }

  usedBy(line: L): number {
    return this.#line(line).bytes;
  }

  /** `bytes` more are held in `line`, or less when negative. */
  add(line: L, bytes: number): void {
    const held = this.#line(line);
    held.bytes += bytes;
    this.#used += bytes;
    assert(held.bytes >= 0, "a line gives back only what it took"); // memory-account.2
  }

  /** All that `line` holds is `bytes` now; for a line whose owner counts for itself. */
  set(line: L, bytes: number): void {
    this.add(line, bytes - this.usedBy(line));
  }

  /** Each line and its bytes, in the order in which they were given. */
  *[Symbol.iterator](): Generator<readonly [L, number]> {
    for (const [line, { bytes }] of this.#lines) yield [line, bytes];
  }

  #line(line: L): { bytes: number } {
    const held = this.#lines.get(line);
    assert(held !== undefined, "a line is one of those that were given"); // memory-account.1
    return held;
  }
}

/** What a string of one byte a unit costs beside its units: its header and the slot that holds it. */
const STRING_OVERHEAD = 32;

/** Bytes that a string of its own costs. One unit above U+00FF makes all of them two bytes wide. */
export function stringBytes(text: string): number {
  return STRING_OVERHEAD + (WIDE.test(text) ? 2 * text.length : text.length);
}

const WIDE = /[\u0100-\uffff]/;
