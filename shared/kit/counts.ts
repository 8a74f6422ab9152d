// Counts: one plain counter for each name of a closed set. What adds to it pays for a map entry;
// whoever scrapes reads all of them.
//
//   counts.1. At most NAMES_MAX names, or as many as its owner says, are kept apart; all further ones share `other`. A name that some
//        peer could choose would otherwise be a time series that never ends.
//   counts.2. Names that are given at the start are there from the start, as zero. A rate needs two values:
//        a name that first appears with a burst in it has lost that burst to every alert.

export const NAMES_MAX = 64;

export class Counts<K extends string = string> {
  readonly #counts = new Map<string, number>();

  readonly #namesMax: number;

  constructor(known: Iterable<K> = [], namesMax: number = NAMES_MAX) {
    this.#namesMax = namesMax;
    for (const name of known) this.#counts.set(name, 0); // counts.2
  }

  add(name: K, by = 1): void {
    const count = this.#counts.get(name);
    if (count !== undefined) this.#counts.set(name, count + by);
    else if (this.#counts.size < this.#namesMax) this.#counts.set(name, by);
    else this.#counts.set("other", (this.#counts.get("other") ?? 0) + by); // counts.1
  }

  get(name: K): number {
    return this.#counts.get(name) ?? 0;
  }

  *[Symbol.iterator](): Generator<readonly [string, number]> {
    yield* this.#counts;
  }
}
