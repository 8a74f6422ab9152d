// LazyMap: a map that most of its owners never fill, or fill with one entry.
//
// An empty Map has 184 bytes. A gateway has several for each connection and room, a room node nine
// for each room.
//
//   lazy-map.1. It behaves as a Map. A first entry is held without a table. The table is made with
//        the second entry and then kept until `clear`.
//   lazy-map.2. A loop over it may delete the entries that it has visited. It may not add any.

const NONE: readonly never[] = [];

/** The only entry of a map without a table. */
class Entry<K, V> {
  readonly key: K;
  value: V;

  constructor(key: K, value: V) {
    this.key = key;
    this.value = value;
  }
}

export class LazyMap<K, V> {
  #held: Entry<K, V> | Map<K, V> | undefined;

  get size(): number {
    const held = this.#held;
    if (held === undefined) return 0;
    return held instanceof Entry ? 1 : held.size;
  }

  has(key: K): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    return held instanceof Entry ? held.key === key : held.has(key);
  }

  get(key: K): V | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    if (held instanceof Entry) return held.key === key ? held.value : undefined;
    return held.get(key);
  }

  set(key: K, value: V): void {
    const held = this.#held;
    if (held === undefined) this.#held = new Entry(key, value);
    else if (!(held instanceof Entry)) held.set(key, value);
    else if (held.key === key) held.value = value;
    else {
      this.#held = new Map<K, V>([
        [held.key, held.value],
        [key, value],
      ]);
    }
  }

  delete(key: K): boolean {
    const held = this.#held;
    if (held === undefined) return false;
    if (!(held instanceof Entry)) return held.delete(key);
    if (held.key !== key) return false;
    this.#held = undefined;
    return true;
  }

  clear(): void {
    this.#held = undefined;
  }

  keys(): Iterable<K> {
    const held = this.#held;
    if (held === undefined) return NONE;
    return held instanceof Entry ? [held.key] : held.keys();
  }

  values(): Iterable<V> {
    const held = this.#held;
    if (held === undefined) return NONE;
    return held instanceof Entry ? [held.value] : held.values();
  }

  [Symbol.iterator](): Iterator<[K, V]> {
    const held = this.#held;
    if (held === undefined) return (NONE as readonly [K, V][])[Symbol.iterator]();
    return held instanceof Entry ? [[held.key, held.value] as [K, V]].values() : held.entries();
  }
}

export type ReadonlyLazyMap<K, V> = Pick<
  LazyMap<K, V>,
  "size" | "has" | "get" | "keys" | "values" | typeof Symbol.iterator
>;
