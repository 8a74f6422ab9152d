// ServedPaths: the paths of the HTTP side and the methods that each of them serves. Pure.
//
// It answers for requests that reached no route (H6). A route for each method that a path does not
// serve would answer the same: that were 1,300 routes, which need 3 MiB.
//
//   served-paths.1. At most one pattern matches a path, so the order of routes has no effect.
//   served-paths.2. A path is decoded as the router does it: part by part, so an encoded slash is
//        no separator.

import { assert } from "#shared/kit/assert.ts";

export interface ServedPath {
  /** In Fastify's form: `/v1/rooms/:room`. */
  readonly pattern: string;
  /** The value of the header `Allow`. */
  readonly allow: string;
}

interface Entry {
  readonly parts: readonly string[];
  readonly methods: Set<string>;
  served: ServedPath;
}

export class ServedPaths {
  readonly #entries = new Map<string, Entry>();
  readonly #byLength = new Map<number, Entry[]>();

  add(pattern: string, methods: readonly string[]): void {
    const entry = this.#entries.get(pattern) ?? this.#create(pattern);
    for (const method of methods) entry.methods.add(method);
    entry.served = { pattern, allow: [...entry.methods].toSorted().join(", ") };
  }

  /** `url`: the path of a request that can be decoded, and its query. */
  find(url: string): ServedPath | undefined {
    const parts = partsOf(url.split(/[?#]/, 1)[0] ?? "");
    const entries = this.#byLength.get(parts.length) ?? [];
    const found = entries.find((entry) => matches(entry.parts, parts.map(decodeURIComponent)));
    return found?.served;
  }

  #create(pattern: string): Entry {
    const parts = partsOf(pattern);
    const others = this.#byLength.get(parts.length) ?? [];
    // served-paths.1
    assert(!others.some((other) => overlaps(other.parts, parts)), `${pattern} matches alone`);
    const entry = { parts, methods: new Set(["OPTIONS"]), served: { pattern, allow: "" } };
    this.#entries.set(pattern, entry);
    this.#byLength.set(parts.length, [...others, entry]);
    return entry;
  }
}

function partsOf(path: string): readonly string[] {
  return path.split("/");
}

function isParameter(part: string): boolean {
  return part.startsWith(":");
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return pattern.every((part, i) => isParameter(part) || part === parts[i]);
}

function overlaps(a: readonly string[], b: readonly string[]): boolean {
  return a.every((part, i) => isParameter(part) || isParameter(b[i] ?? "") || part === b[i]);
}
