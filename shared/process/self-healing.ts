// SelfHealing: a process whose heap is full hands over its work and exits before V8 ends it. Its
// supervisor starts it again.
//
// Owns: the decision, and the one log line of each replacement. Does not own: the sensor of the
// heap (forecast.ts), the hand-over (shutdown), the lease (shared/ports/leases.ts).
//
//   self-healing.1. It waits for a random part of JITTER_MS after the collection that left a full
//        heap, and gives up when the heap is no longer full then.
//   self-healing.2. It needs the lease of its service, so that one process of a service at a time
//        is replaced. Without the lease it tries again after the next such collection, RETRY_MS
//        later at the earliest.
//   self-healing.3. A process that has not run for `afterMs` is not replaced: it would be full
//        again soon, and a new process each time would hide the leak.
//   self-healing.4. Where `hasReplacement` is given, it must be true when the lease is asked for.
//   self-healing.5. A reason not to replace the process is logged once in REPORT_MS.

import { unreachable } from "../kit/assert.ts";
import { fullJitter } from "../kit/backoff.ts";
import { isFull } from "../kit/foresight.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Leases } from "../ports/leases.ts";
import type { LeaseRequest } from "../protocol/leases.ts";
import type { Millis } from "../protocol/ids.ts";
import type { HeapReading } from "./forecast.ts";
import type { Logger } from "./logger.ts";

const JITTER_MS = 2_000;
const RETRY_MS = 5_000;
const REPORT_MS = 60_000;

export interface SelfHealingOptions {
  readonly request: LeaseRequest;
  readonly afterMs: Millis;
  readonly clock: Pick<Clock, "monotonic" | "after">;
  readonly random: Random;
  readonly leases: Leases;
  readonly logger: Pick<Logger, "warn">;
  readonly hasReplacement?: () => boolean;
  /** Hands over all work and ends the process. */
  readonly replace: () => void;
}

export class SelfHealing {
  readonly #options: SelfHealingOptions;
  readonly #startedAt: Millis;
  #newest: HeapReading = { live: 0, limit: 1 };
  #state: "idle" | "waiting" | "replaced" = "idle";
  #notBefore = -Infinity;
  #reportedAt = -Infinity;

  constructor(options: SelfHealingOptions) {
    this.#options = options;
    this.#startedAt = options.clock.monotonic();
  }

  /** Of every major collection. */
  onHeap(reading: HeapReading): void {
    this.#newest = reading;
    if (this.#state !== "idle" || !this.#isFull()) return;
    const { clock, random, afterMs } = this.#options;
    const now = clock.monotonic();
    if (now < this.#notBefore) return;
    if (now - this.#startedAt < afterMs) {
      return this.#report("the process has not run for long enough"); // self-healing.3
    }
    this.#state = "waiting";
    const waitMs = fullJitter(0, { baseMs: JITTER_MS, capMs: JITTER_MS }, random);
    clock.after(waitMs, () => void this.#try());
  }

  async #try(): Promise<void> {
    const { leases, request, hasReplacement, clock, logger, replace } = this.#options;
    if (!this.#isFull()) return this.#again(undefined); // self-healing.1
    if (hasReplacement?.() === false) return this.#again("no other process serves"); // .4
    const { kind } = await leases.take(request);
    switch (kind) {
      case "taken":
        return this.#again("another process is being replaced");
      case "unknown":
        return this.#again("the lease did not answer");
      case "held":
        this.#state = "replaced";
        logger.warn({ ...this.#newest, upMs: clock.monotonic() - this.#startedAt }, REPLACED);
        return replace();
      default:
        return unreachable(kind);
    }
  }

  #isFull(): boolean {
    return isFull(this.#newest.live, this.#newest.limit);
  }

  /** self-healing.2. */
  #again(reason: string | undefined): void {
    this.#state = "idle";
    this.#notBefore = this.#options.clock.monotonic() + RETRY_MS;
    if (reason !== undefined) this.#report(reason);
  }

  /** self-healing.5. */
  #report(reason: string): void {
    const { clock, logger } = this.#options;
    const now = clock.monotonic();
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = now;
    logger.warn({ reason, ...this.#newest }, "the heap is full, and the process stays");
  }
}

export const REPLACED = "the heap is full: this process is replaced";
