// InFlight: the number of calls that are in progress, for each key and for all.
//
//   in-flight.1. Beyond either bound a call does not begin. A key without calls is not kept.

export class InFlight<K> {
  readonly #perKeyMax: number;
  readonly #max: number;
  readonly #byKey = new Map<K, number>();
  #all = 0;

  constructor(perKeyMax: number, max: number) {
    this.#perKeyMax = perKeyMax;
    this.#max = max;
  }

  /** Undefined: the call did not begin. */
  async run<T>(key: K, call: () => Promise<T>): Promise<T | undefined> {
    const own = this.#byKey.get(key) ?? 0;
    if (own >= this.#perKeyMax || this.#all >= this.#max) return undefined;
    this.#byKey.set(key, own + 1);
    this.#all++;
    try {
      return await call();
    } finally {
      this.#all--;
      const left = (this.#byKey.get(key) ?? 0) - 1;
      if (left > 0) this.#byKey.set(key, left);
      else this.#byKey.delete(key);
    }
  }
}
