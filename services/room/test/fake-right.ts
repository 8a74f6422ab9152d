// FakeRight: a grant that a test gives and takes.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Grant, GrantFor } from "#shared/protocol/regions.ts";

export class FakeRight implements RegionRight {
  #allows: GrantFor = "everything";
  readonly #listeners = new Set<() => void>();
  grant: Grant;

  constructor(mirror: string | null = null) {
    this.grant = { v: 1, n: 1, term: 1, for: "everything", leftMs: 1_000, mirror };
  }

  allows(): GrantFor {
    return this.#allows;
  }

  /** The time of the grant ends, and no listener knows it yet. */
  lapse(): void {
    this.#allows = "nothing";
  }

  set(allows: GrantFor, change: Partial<Grant> = {}): void {
    this.#allows = allows;
    this.grant = { ...this.grant, ...change };
    for (const listener of this.#listeners) listener();
  }

  onChange(handler: () => void): { unsubscribe(): void } {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }
}
