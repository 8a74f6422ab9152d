// Shared bound: bytes that all lanes, or all feeds, of one process hold together, against one bound.
//
// Owns: the sum. Does not own: what is refused or dropped when it is reached; the holder does that.
//
//   shared-bound.1. Each holder gives back what it added, so the sum is 0 when nothing is held.

import { assert } from "#shared/kit/assert.ts";

export class SharedBound {
  readonly #bytesMax: number;
  readonly #onChange: (bytes: number) => void;
  #bytes = 0;

  /** `onChange`: more is held, or less when negative. */
  constructor(bytesMax: number, onChange: (bytes: number) => void = () => undefined) {
    this.#bytesMax = bytesMax;
    this.#onChange = onChange;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytesMax;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    assert(this.#bytes >= 0, "a holder gives back what it added"); // shared-bound.1
    this.#onChange(bytes);
  }
}
