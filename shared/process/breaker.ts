// Breaker: stops calls to a dependency that does not answer, and tries it again with one call.
//
// Owns: the state (closed, open, half-open) and its counters. The state machine is cockatiel's.
// Does not own: timeouts and retries of the callers. There are no timers: a call after the wait is
// the probe, so a breaker without calls stays open.
//
//   breaker.1. After `failuresMax` failures in a row it opens. While it is open, calls are refused
//        at once with BreakerOpen.
//   breaker.2. After the wait, one call passes as a probe (half-open). Calls beside it are refused
//        and do not wait for its result. A probe that fails opens the breaker again, and any other
//        result closes it.
//   breaker.3. Only errors that `isFailure` accepts count. Another error shows that the dependency
//        answers.
//   breaker.4. A call that began in an earlier state changes nothing.
//   breaker.5. Waits are measured on the monotonic clock.

import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleType } from "cockatiel";
import type { CircuitBreakerPolicy, IBackoff } from "cockatiel";
import { Counts } from "../kit/counts.ts";
import type { Clock } from "../ports/clock.ts";
import type { Millis } from "../protocol/ids.ts";
import type { Metrics } from "./metrics.ts";

export type BreakerState = "closed" | "open" | "half-open";

export interface Transition {
  readonly dependency: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** The failure that opened it. */
  readonly reason?: string;
}

export interface BreakerOptions {
  /** The value of the label `dependency`. */
  readonly dependency: string;
  readonly clock: Pick<Clock, "monotonic">;
  readonly failuresMax: number;
  /** The wait in ms from the failure that opens it to the probe. */
  readonly waitMs: () => Millis;
  readonly isFailure: (error: unknown) => boolean;
  readonly onTransition?: ((transition: Transition) => void) | undefined;
}

/** The breaker refused the call. A call in `afterMs` may pass. */
export class BreakerOpen extends Error {
  override readonly name = "BreakerOpen";
  readonly afterMs: Millis;

  constructor(dependency: string, afterMs: Millis) {
    super(`${dependency} is not asked: its circuit breaker is open, retry in ${afterMs} ms`);
    this.afterMs = afterMs;
  }
}

/** A failure that counts (breaker.3, breaker.4). */
class CountedFailure extends Error {}

export class Breaker {
  readonly dependency: string;
  readonly transitions = new Counts<BreakerState>(["closed", "open", "half-open"]);
  refused = 0;
  readonly #options: BreakerOptions;
  readonly #policy: CircuitBreakerPolicy;
  #state: BreakerState = "closed";
  /** Transitions so far (breaker.4). */
  #changes = 0;
  #probeAt: Millis = 0;

  constructor(options: BreakerOptions) {
    this.dependency = options.dependency;
    this.#options = options;
    // cockatiel compares this duration with the wall clock, which can jump. A duration that is
    // always too long, or never, leaves the decision to `#probeAt` (breaker.5).
    const isDue = (): boolean => options.clock.monotonic() >= this.#probeAt;
    const wait: IBackoff<unknown> = {
      get duration() {
        return isDue() ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      },
      next: () => wait,
    };
    this.#policy = circuitBreaker(handleType(CountedFailure), {
      breaker: new ConsecutiveBreaker(options.failuresMax),
      halfOpenAfter: wait,
    });
    this.#policy.onStateChange((state) => this.#onState(state));
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** When the next probe may begin; undefined unless it is open. */
  get probeAt(): Millis | undefined {
    return this.#state === "open" ? this.#probeAt : undefined;
  }

  /** Whether a call would be refused now. */
  get isRefusing(): boolean {
    if (this.#state === "closed") return false;
    return this.#state === "half-open" || this.#options.clock.monotonic() < this.#probeAt;
  }

  /** Throws BreakerOpen when a call would be refused now. */
  check(): void {
    if (!this.isRefusing) return;
    this.refused++;
    const afterMs = Math.ceil(Math.max(0, this.#probeAt - this.#options.clock.monotonic()));
    throw new BreakerOpen(this.dependency, afterMs);
  }

  /** The result of `call`, which may reject; or rejects with BreakerOpen. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    this.check(); // cockatiel would let the calls beside a probe wait for it (breaker.2).
    try {
      return await this.#policy.execute(() => this.#counted(call));
    } catch (error: unknown) {
      throw error instanceof CountedFailure ? error.cause : error;
    }
  }

  async #counted<T>(call: () => Promise<T>): Promise<T> {
    const before = this.#changes;
    try {
      return await call();
    } catch (error: unknown) {
      const counts = before === this.#changes && this.#options.isFailure(error);
      throw counts ? new CountedFailure("", { cause: error }) : error;
    }
  }

  #onState(state: CircuitState): void {
    const from = this.#state;
    this.#state = NAMES[state];
    this.#changes++;
    this.transitions.add(this.#state);
    const { clock, waitMs, onTransition } = this.#options;
    const change = { dependency: this.dependency, from, to: this.#state };
    if (this.#state !== "open") {
      onTransition?.(change);
      return;
    }
    this.#probeAt = clock.monotonic() + waitMs();
    onTransition?.({ ...change, reason: this.#lastReason() });
  }

  #lastReason(): string {
    const last = this.#policy.lastFailure;
    const error = last !== undefined && "error" in last ? last.error : undefined;
    return textOf(error instanceof Error ? error.cause : error);
  }
}

/** One line. The error of a host with several addresses has a text for each of them. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join("; ");
  return error instanceof Error ? error.message || error.name : String(error);
}

const NAMES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half-open",
  [CircuitState.Isolated]: "open", // Not used here.
};

export function registerBreakers(metrics: Metrics, breakers: readonly Breaker[]): void {
  metrics.gauge("parley_breaker_state", "1 for the state of a circuit breaker, 0 for others", () =>
    breakers.flatMap(({ dependency, state: current, transitions }) =>
      Array.from(
        transitions,
        ([state]) => [{ dependency, state }, state === current ? 1 : 0] as const,
      ),
    ),
  );
  metrics.counter(
    "parley_breaker_transitions_total",
    "State changes of a circuit breaker, by new state",
    () =>
      breakers.flatMap(({ dependency, transitions }) =>
        Array.from(transitions, ([state, count]) => [{ dependency, state }, count] as const),
      ),
  );
  metrics.counter(
    "parley_breaker_refused_total",
    "Calls that an open circuit breaker refused",
    () => breakers.map(({ dependency, refused }) => [{ dependency }, refused] as const),
  );
}

interface TransitionLog {
  debug(detail: object, message: string): void;
  info(detail: object, message: string): void;
  warn(detail: object, message: string): void;
}

/**
 * Writes a line when a breaker opens and when it closes. Probes during an outage are debug lines,
 * because there may be several a second.
 */
export function logTransition(logger: TransitionLog, transition: Transition): void {
  const { from, to } = transition;
  if (to === "closed") logger.info(transition, "circuit breaker closed");
  else if (from === "closed") logger.warn(transition, "circuit breaker opened");
  else logger.debug(transition, "circuit breaker probed");
}
