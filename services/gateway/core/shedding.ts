// Shedding: which kinds of work a gateway refuses while it is overloaded.
//
// Owns: the delay of the process, the decision for each kind of work, its counts. Does not own:
// how the delay is measured (runtime/gateway.ts), how a refusal is sent. The delay is how long an
// input waits before the gateway handles it: the lateness of a timer, which is the length of an
// iteration of the event loop, and the age of the frames that wait for their turn (intake.1).
//
//   shedding.1. The kinds of work are refused in a fixed order (WORKS), and served again in the
//        reverse order: first new connections, then reads, then resumes. So existing members are
//        served before new ones, and sends before everything else. Sends are not refused here:
//        their own bounds apply (S5, L1), and docs/decisions/030 gives the measured reason.
//   shedding.2. A kind is refused when the delay was above its bound for RISE_MS, and served again
//        when the delay was below half of it for FALL_MS. One long iteration refuses nothing.
//   shedding.3. The wait that a refusal names is spread at random and grows with the delay, so that
//        the retries do not arrive together.

import { fullJitter } from "#shared/kit/backoff.ts";
import { Counts } from "#shared/kit/counts.ts";
import type { Random } from "#shared/ports/clock.ts";
import { RETRY_AFTER_MS } from "#shared/protocol/errors.ts";
import type { Millis } from "#shared/protocol/ids.ts";

/**
 * `read`: a join without a cursor, a page of history, an HTTP read, a typing signal. `resume`: a
 * join with a cursor, as after a reconnect.
 */
export const WORKS = ["connection", "read", "resume"] as const;
export type Work = (typeof WORKS)[number];

/** The delay from which a kind of work is refused. */
export const SHED_FROM_MS: { readonly [W in Work]: Millis } = {
  connection: 250,
  read: 500,
  resume: 1_000,
};
export const OVERLOADED = "The server is overloaded; the request was not handled.";
export const RISE_MS = 1_000;
export const FALL_MS = 2_000;
/** The wait of a refusal is RETRY_AFTER_MS and a random part of twice the delay, at most this. */
export const SPREAD_MAX_MS = 10_000;

export interface SheddingChange {
  readonly work: Work;
  readonly isShed: boolean;
  readonly delayMs: Millis;
}

interface Gate {
  readonly work: Work;
  isShed: boolean;
  /** Since when the delay asks for the other state; undefined: it does not. */
  since: Millis | undefined;
}

export class Shedding {
  readonly #random: Random;
  readonly #gates: readonly Gate[] = WORKS.map((work) => ({
    work,
    isShed: false,
    since: undefined,
  }));
  readonly refused = new Counts<Work>(WORKS);
  /** False: nothing is refused. An operator can switch it. */
  isOn: boolean;
  #delayMs: Millis = 0;

  constructor(random: Random, isOn: boolean) {
    this.#random = random;
    this.isOn = isOn;
  }

  get delayMs(): Millis {
    return this.#delayMs;
  }

  isShed(work: Work): boolean {
    return this.isOn && this.#gates.some((gate) => gate.work === work && gate.isShed);
  }

  /** A measured delay. Returns the kinds of work that change. */
  sample(delayMs: Millis, now: Millis): readonly SheddingChange[] {
    this.#delayMs = delayMs;
    return this.#gates
      .filter((gate) => this.#changes(gate, now))
      .map(({ work, isShed }) => {
        return { work, isShed, delayMs };
      });
  }

  /** Undefined: the work is admitted. Otherwise it is refused, with the wait before a retry. */
  refuse(work: Work): Millis | undefined {
    if (!this.isShed(work)) return undefined;
    this.refused.add(work);
    const spread = Math.min(SPREAD_MAX_MS, Math.max(RETRY_AFTER_MS, 2 * this.#delayMs));
    const jitter = fullJitter(0, { baseMs: spread, capMs: spread }, this.#random);
    return RETRY_AFTER_MS + jitter; // shedding.3
  }

  /** shedding.2. */
  #changes(gate: Gate, now: Millis): boolean {
    const fromMs = SHED_FROM_MS[gate.work];
    const asks = gate.isShed ? this.#delayMs < fromMs / 2 : this.#delayMs >= fromMs;
    if (!asks) {
      gate.since = undefined;
      return false;
    }
    gate.since ??= now;
    if (now - gate.since < (gate.isShed ? FALL_MS : RISE_MS)) return false;
    gate.isShed = !gate.isShed;
    gate.since = undefined;
    return true;
  }
}
