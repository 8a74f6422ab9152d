// HeldGrant: the right of one process to serve, as its region agent granted it. Pure.
//
//   held-grant.1. A grant ends `leftMs` after the moment when its request was SENT, on the clock of
//        this process. The agent computed `leftMs` later, so the grant never outlasts the lease.
//   held-grant.2. Only the answer to the newest request counts. A lost answer ends nothing early.
//   held-grant.3. Where both regions serve, a partition has the right of its home, and that right
//        alone. A partition that no home names has none.

import type { Millis, Partition } from "../protocol/ids.ts";
import type { Grant, GrantFor, Right } from "../protocol/regions.ts";

export class HeldGrant {
  #n = 0;
  #sentAt: Millis | undefined;
  /** When the request of the grant was sent. */
  #since: Millis = -Infinity;
  #grant: Grant | undefined;

  /** The number of a request that is sent now. */
  onSent(now: Millis): number {
    this.#sentAt = now;
    return ++this.#n;
  }

  onAnswer(grant: Grant): void {
    if (grant.n !== this.#n || this.#sentAt === undefined) return;
    this.#grant = grant;
    this.#since = this.#sentAt;
    this.#sentAt = undefined;
  }

  allows(p: Partition, now: Millis): GrantFor {
    const right = this.rightOf(p);
    return right === undefined || now >= this.#since + right.leftMs ? "nothing" : right.for;
  }

  /** Whether gateways may take clients. */
  takesClients(now: Millis): boolean {
    const { homes, leftMs, clientsMs = 0, for: allowed } = this.#grant ?? {};
    if (homes !== undefined) return now < this.#since + clientsMs;
    return allowed === "everything" && now < this.#since + (leftMs ?? 0);
  }

  /** Until when the right to a partition holds. */
  untilOf(p: Partition): Millis {
    return this.#since + (this.rightOf(p)?.leftMs ?? 0);
  }

  /** The newest answer of the agent about a partition, also after its time (held-grant.3). */
  rightOf(p: Partition): Right | undefined {
    const { homes } = this.#grant ?? {};
    return homes === undefined
      ? this.#grant
      : homes.find(({ partitions }) => partitions.includes(p));
  }

  /** The newest answer of the agent, also after its time. */
  get last(): Grant | undefined {
    return this.#grant;
  }
}
