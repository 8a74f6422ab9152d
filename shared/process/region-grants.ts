// RegionGrants: asks the region agent whether this process may serve, and reports each change.
//
// Owns: the requests and their schedule, the check that ends a grant in time. Does not own: the
// time arithmetic (kit/held-grant.ts), what a process does without a grant.
//
//   region-grants.1. One request is open at a time. The next follows POLL_MS after its answer or
//        its timeout.
//   region-grants.2. A listener is called when the answer to `allows`, the term or the mirror of
//        any partition has changed, and at the latest CHECK_MS after a grant has ended. A check
//        that decides about an effect calls `allows` itself.

import { HeldGrant } from "../kit/held-grant.ts";
import type { Bus, Subscription } from "../ports/bus.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { decodeGrant, encodeGrantRequest } from "../protocol/regions.ts";
import type { Partition } from "../protocol/ids.ts";
import type { Grant, GrantFor, Right } from "../protocol/regions.ts";
import { subjects } from "../protocol/subjects.ts";

const POLL_MS = 250;
const TIMEOUT_MS = 1_000;
const CHECK_MS = 50;

export interface RegionRight {
  /** What this process may do with a partition at this moment. */
  allows(p: Partition): GrantFor;
  /** The newest answer about a partition, also after its time; undefined before the first. */
  rightOf(p: Partition): Right | undefined;
  /** Whether a gateway may take clients at this moment. */
  takesClients(): boolean;
  /** The newest answer of the agent, also after its time; undefined before the first. */
  readonly grant: Grant | undefined;
  onChange(handler: () => void): Subscription;
}

export class RegionGrants implements RegionRight {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #held = new HeldGrant();
  readonly #listeners = new Set<() => void>();
  readonly #timers: Timer[] = [];
  #isStopped = false;
  #last = "";

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  allows(p: Partition): GrantFor {
    return this.#held.allows(p, this.#clock.monotonic());
  }

  rightOf(p: Partition): Right | undefined {
    return this.#held.rightOf(p);
  }

  takesClients(): boolean {
    return this.#held.takesClients(this.#clock.monotonic());
  }

  get grant(): Grant | undefined {
    return this.#held.last;
  }

  onChange(handler: () => void): Subscription {
    this.#listeners.add(handler);
    return { unsubscribe: () => void this.#listeners.delete(handler) };
  }

  start(): void {
    this.#timers.push(this.#clock.every(CHECK_MS, () => this.#check()));
    this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) timer.cancel();
  }

  #ask(): void {
    if (this.#isStopped) return;
    const n = this.#held.onSent(this.#clock.monotonic());
    const asked = this.#bus.request(subjects.regionGrant, encodeGrantRequest(n), {
      timeoutMs: TIMEOUT_MS,
    });
    void asked.then((outcome) => {
      const grant =
        outcome.kind === "ok" ? decodeGrant(new TextDecoder().decode(outcome.data)) : undefined;
      if (grant !== undefined) this.#held.onAnswer(grant);
      this.#check();
      this.#clock.after(POLL_MS, () => this.#ask());
    });
  }

  #check(): void {
    // Each home by one of its partitions, which all have the same right.
    const ones = this.grant?.homes?.map(({ partitions: [p = 0] }) => p) ?? [0];
    const rights = ones.map((p) => {
      const { term, mirror } = this.rightOf(p) ?? {};
      return `${this.allows(p)} ${term} ${mirror}`;
    });
    const now = `${rights.join(", ")} ${this.takesClients()}`;
    if (now === this.#last) return;
    this.#last = now;
    for (const listener of this.#listeners) listener();
  }
}
