// FakeRight: a grant that a test gives and takes.

import type { RegionRight } from "#shared/process/region-grants.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import type { Grant, GrantFor, Right } from "#shared/protocol/regions.ts";

export class FakeRight implements RegionRight {
  #allows: GrantFor = "everything";
  /** Partitions with a right of their own. */
  readonly #own = new Map<Partition, Right>();
  readonly #listeners = new Set<() => void>();
  grant: Grant;

  constructor(mirror: string | null = null) {
    this.grant = { v: 1, n: 1, term: 1, for: "everything", leftMs: 1_000, mirror };
  }

  allows(p: Partition): GrantFor {
    return this.#own.get(p)?.for ?? this.#allows;
  }

  rightOf(p: Partition): Right {
    return this.#own.get(p) ?? this.grant;
  }

  takesClients(): boolean {
    return this.#allows === "everything";
  }

  /** The right of one partition. */
  setOf(p: Partition, right: Partial<Right>): void {
    this.#own.set(p, { ...this.grant, ...right });
    for (const listener of this.#listeners) listener();
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
