// HeldGrant: the right of one process to serve, as its region agent granted it. Pure.
//
//   held-grant.1. A grant ends `leftMs` after the moment when its request was SENT, on the clock of
//        this process. The agent computed `leftMs` later, so the grant never outlasts the lease.
//   held-grant.2. Only the answer to the newest request counts. A lost answer ends nothing early.

import type { Millis } from "../protocol/ids.ts";
import type { Grant, GrantFor } from "../protocol/regions.ts";

export class HeldGrant {
  #n = 0;
  #sentAt: Millis | undefined;
  #until: Millis = -Infinity;
  #grant: Grant | undefined;

  /** The number of a request that is sent now. */
  onSent(now: Millis): number {
    this.#sentAt = now;
    return ++this.#n;
  }

  onAnswer(grant: Grant): void {
    if (grant.n !== this.#n || this.#sentAt === undefined) return;
    this.#grant = grant;
    this.#until = this.#sentAt + grant.leftMs;
    this.#sentAt = undefined;
  }

  allows(now: Millis): GrantFor {
    return this.#grant === undefined || now >= this.#until ? "nothing" : this.#grant.for;
  }

  get until(): Millis {
    return this.#until;
  }

  /** The newest answer of the agent, also after its time. */
  get last(): Grant | undefined {
    return this.#grant;
  }
}
