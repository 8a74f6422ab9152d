// LazyMap: a map that most of its owners never fill.
//
// An empty Map has 184 bytes, and a gateway has several for each connection and room.
//
//   lazy-map.1. It behaves as a Map. Its table is made with the first entry and then kept.

const NONE: ReadonlyMap<never, never> = new Map<never, never>();

export class LazyMap<K, V> {
  #map: Map<K, V> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  has(key: K): boolean {
    return this.#map?.has(key) === true;
  }

  get(key: K): V | undefined {
    return this.#map?.get(key);
  }

  set(key: K, value: V): void {
    this.#map ??= new Map<K, V>();
    this.#map.set(key, value);
  }

  delete(key: K): boolean {
    return this.#map?.delete(key) === true;
  }

  clear(): void {
    this.#map = undefined;
  }

  keys(): IterableIterator<K> {
    return (this.#map ?? (NONE as ReadonlyMap<K, V>)).keys();
  }

  values(): IterableIterator<V> {
    return (this.#map ?? (NONE as ReadonlyMap<K, V>)).values();
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return (this.#map ?? (NONE as ReadonlyMap<K, V>)).entries();
  }
}
