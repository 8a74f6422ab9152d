// LeaseServer: takes leases for the processes that ask on the bus.
//
// Any persistence process may answer. Owns: the count of leases. Does not own: where a lease is
// stored (shared/ports/leases.ts), or why a process wants one (shared/process/self-healing.ts).

import { Counts } from "#shared/kit/counts.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Leases } from "#shared/ports/leases.ts";
import { decodeLeaseRequest, encodeLeaseOutcome, LEASE_NAMES } from "#shared/protocol/leases.ts";
import { LEASE_QUEUE, subjects } from "#shared/protocol/subjects.ts";

export class LeaseServer {
  /** Leases that were given, by service. */
  readonly given = new Counts(LEASE_NAMES);
  readonly #bus: Pick<Bus, "publish" | "subscribe">;
  readonly #leases: Leases;
  #requests: Subscription | undefined;

  constructor(bus: Pick<Bus, "publish" | "subscribe">, leases: Leases) {
    this.#bus = bus;
    this.#leases = leases;
  }

  start(): void {
    this.#requests = this.#bus.subscribe(
      subjects.lease,
      ({ data, reply }) => {
        if (reply !== undefined) void this.#answer(new TextDecoder().decode(data), reply);
      },
      { queue: LEASE_QUEUE },
    );
  }

  stop(): void {
    this.#requests?.unsubscribe();
  }

  async #answer(text: string, reply: string): Promise<void> {
    const request = decodeLeaseRequest(text);
    if (request === undefined) return; // N5
    const outcome = await this.#leases.take(request);
    if (outcome.kind === "held") this.given.add(request.name);
    this.#bus.publish(reply, encodeLeaseOutcome(outcome));
  }
}
