// SharedBound: the bytes that all lanes, or all feeds, of one process hold, against one bound.
//
// Owns: the sum. Does not own: the behaviour at the bound; each holder refuses or drops its own.
//
//   shared-bound.1. Each holder subtracts what it added, so the sum is 0 when nothing is held.

import { assert } from "#shared/kit/assert.ts";

export class SharedBound {
  readonly #bytesMax: number;
  readonly #onChange: (bytes: number) => void;
  #bytes = 0;

  /** `onChange` receives the change in bytes. */
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
    assert(this.#bytes >= 0, "a holder subtracts at most what it added"); // shared-bound.1
    this.#onChange(bytes);
  }
}
