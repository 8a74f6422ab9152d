// TwoVersions: which version of the code a service of a chaos run starts with, and what happened
// between the two.
//
//   two-versions.1. Of two services of one kind, one begins with each version. Every restart
//        changes the version of the service.

import type { Checkout } from "../versions/checkout.ts";

export class TwoVersions {
  readonly #versions: readonly [Checkout, Checkout];
  readonly #starts = new Map<string, number>();
  readonly #started = new Map<string, number>();
  readonly #passed = new Map<string, number>();

  constructor(ours: Checkout, other: Checkout) {
    this.#versions = [ours, other];
  }

  /** The code for the next start of a service (two-versions.1). */
  next(service: string): Checkout {
    const starts = this.#starts.get(service) ?? 0;
    this.#starts.set(service, starts + 1);
    const number = Number(service.replace(/^.*-/, ""));
    const checkout = this.#versions[(number + 1 + starts) % 2] as Checkout;
    count(this.#started, checkout.version);
    return checkout;
  }

  /** A partition got another owner; the arguments are the versions of both. */
  passed(from: string, to: string): void {
    if (from !== to) count(this.#passed, passage(from, to));
  }

  describe(): string {
    const text = (counts: ReadonlyMap<string, number>): string =>
      Array.from(counts, ([what, n]) => `${what} ${n}`).join(", ");
    return `starts by version: ${text(this.#started)}; partitions passed: ${text(this.#passed)}`;
  }

  /** Why the run says nothing about both versions together; empty in a good run. */
  complaints(): string[] {
    const [{ version: a }, { version: b }] = this.#versions;
    return [passage(a, b), passage(b, a)]
      .filter((way) => !this.#passed.has(way))
      .map((way) => `no partition passed from one version to the other: ${way}`);
  }
}

function passage(from: string, to: string): string {
  return `${from} → ${to}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
