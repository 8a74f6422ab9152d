// Counts: one plain counter for each name of a closed set. `add` costs one map access; a metrics
// scrape iterates over all counters.
//
//   counts.1. At most `namesMax` names (default NAMES_MAX) have their own counter. All further
//        names share `other`. Otherwise a peer that chooses names could create time series without
//        end.
//   counts.2. Names that are given at the start exist from the start, with zero. A rate needs two
//        values: a counter that first appears during a burst hides that burst from every alert.

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
