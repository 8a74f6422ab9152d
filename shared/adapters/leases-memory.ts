// MemoryLeases: leases in memory, for tests.

import type { Clock } from "../ports/clock.ts";
import type { Leases } from "../ports/leases.ts";
import type { LeaseName, LeaseOutcome, LeaseRequest } from "../protocol/leases.ts";
import type { Millis, ProcessId } from "../protocol/ids.ts";

export class MemoryLeases implements Leases {
  /** The store does not answer. */
  isAway = false;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #leaseMs: Millis;
  readonly #held = new Map<LeaseName, { readonly by: ProcessId; readonly until: Millis }>();

  constructor(clock: Pick<Clock, "monotonic">, leaseMs: Millis) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  take({ name, by }: LeaseRequest): Promise<LeaseOutcome> {
    if (this.isAway) return Promise.resolve({ kind: "unknown" });
    const now = this.#clock.monotonic();
    const held = this.#held.get(name);
    const isTaken = held !== undefined && now < held.until;
    if (isTaken) return Promise.resolve({ kind: held.by === by ? "held" : "taken" });
    this.#held.set(name, { by, until: now + this.#leaseMs });
    return Promise.resolve({ kind: "held" });
  }
}
