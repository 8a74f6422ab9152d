// Wait: waits for a condition with a deadline, never for a fixed time.
//
//   wait.1. A wait ends as soon as its condition holds. At the deadline it throws an error that
//        names the condition.
//   wait.2. A test run may set a least deadline for all waits, because a missed deadline on a busy
//        machine proves nothing.
//   wait.3. A test may run all waits on a clock of its own, for example on virtual time.

import { systemClock } from "../adapters/clock-system.ts";
import type { Clock, Timer } from "../ports/clock.ts";

export interface Within {
  readonly withinMs: number;
  /** The condition, for the text of a failure: "the reader to see entry 5". */
  readonly what: string;
  /** The pause between two looks at a condition, where each look costs something. */
  readonly everyMs?: number;
}

const POLL_MS = 5;
/** A shorter deadline belongs to a test of waiting itself; wait.2 does not change it. */
const SHORT_MS = 1_000;
let leastMs = 0;
let clock: WaitClock = systemClock;

/** wait.3. */
export type WaitClock = Pick<Clock, "monotonic" | "after">;

/** wait.2. */
export function waitAtLeast(ms: number): void {
  leastMs = ms;
}

/** wait.3. Without an argument the waits use real time again. */
export function waitOn(other: WaitClock = systemClock): void {
  clock = other;
}

function deadlineOf(withinMs: number): number {
  return withinMs < SHORT_MS ? withinMs : Math.max(withinMs, leastMs);
}

/** Resolves as soon as `condition` holds; throws an error that names `what` at the deadline. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { withinMs: requestedMs, what, everyMs = POLL_MS }: Within,
): Promise<void> {
  const withinMs = deadlineOf(requestedMs);
  const deadline = clock.monotonic() + withinMs;
  while (!(await condition())) {
    if (clock.monotonic() > deadline)
      throw new Error(`waited ${withinMs} ms without success for ${what}`);
    await new Promise<void>((resolve) => {
      clock.after(everyMs, resolve);
    });
  }
}

/** The value of `promise`; throws an error that names `what` when it does not settle in time. */
export async function within<T>(
  promise: Promise<T>,
  { withinMs: requestedMs, what }: Within,
): Promise<T> {
  const withinMs = deadlineOf(requestedMs);
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(withinMs, () =>
      reject(new Error(`waited ${withinMs} ms without success for ${what}`)),
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer?.cancel();
  }
}
