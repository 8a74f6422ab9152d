// SessionReaper: ends the sessions of gateways that crashed or were cut off.
//
// Every persistence process runs one; the store decides which of them ends a session. Owns: when
// the leases are read.
//
//   session-reaper.1. A gateway counts as lost when its lease has ended while this process could
//        read the leases for a whole lease without a failure. So an outage of persistence or of
//        NATS, in which no gateway can renew, ends no session.
//   session-reaper.2. One look runs at a time. A gateway whose sessions could not be ended is
//        found again by the next look.

import type { Clock, Timer } from "#shared/ports/clock.ts";
import { GATEWAY_LEASE_MS } from "#shared/ports/session-store.ts";
import type { SessionStore } from "#shared/ports/session-store.ts";
import type { Millis, ProcessId } from "#shared/protocol/ids.ts";

const LOOK_MS = 1_000;

export interface SessionReaperOptions {
  readonly store: Pick<SessionStore, "lost" | "endLost">;
  readonly clock: Pick<Clock, "now" | "monotonic" | "every">;
  readonly leaseMs?: Millis;
  /** The sessions of a lost gateway were ended, this many by this process. */
  readonly onLost: (gateway: ProcessId, ended: number) => void;
}

export class SessionReaper {
  readonly #options: SessionReaperOptions;
  #timer: Timer | undefined;
  #isLooking = false;
  /** The first of the looks that succeeded without a failure between them. */
  #readsSince: Millis | undefined;
  /** Sessions that this process has ended. */
  ended = 0;

  constructor(options: SessionReaperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.every(LOOK_MS, () => void this.#look());
    void this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return; // session-reaper.2
    this.#isLooking = true;
    await this.#endLost();
    this.#isLooking = false;
  }

  async #endLost(): Promise<void> {
    const { store, clock, leaseMs = GATEWAY_LEASE_MS, onLost } = this.#options;
    const began = clock.monotonic();
    const lost = await store.lost();
    if (lost.kind === "unavailable") {
      this.#readsSince = undefined;
      return;
    }
    this.#readsSince ??= began;
    if (began - this.#readsSince < leaseMs) return; // session-reaper.1
    for (const gateway of lost.value) {
      const outcome = await store.endLost(gateway, clock.now());
      if (outcome.kind === "unavailable") continue;
      this.ended += outcome.value;
      onLost(gateway, outcome.value);
    }
  }
}
