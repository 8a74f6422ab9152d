// Test patience: the minimum deadlines of waits and tests in a test run. Mocha loads it first.
//
// A deadline of a test detects that something hangs. It does not state a required speed; a test of
// speed measures it. A busy machine must not reach a deadline, and test authors choose deadlines of
// a few times the duration on a quiet machine.
//
//   patience.1. `until` and `within` wait for at least WAIT_MS, and a test, hook or suite may take
//        TEST_MS, regardless of their own values. A wait is shorter than a test, so the wait fails
//        first and names the missing condition.

import Mocha from "mocha";
import { waitAtLeast } from "#shared/testing/wait.ts";

const WAIT_MS = 90_000;
const TEST_MS = 600_000;

waitAtLeast(WAIT_MS);

const { prototype } = Mocha.Runnable;
// oxlint-disable-next-line typescript/unbound-method -- called with its runnable below
const { timeout } = prototype;

/** With an argument it sets the limit; without one it returns the limit in force. */
prototype.timeout = function limited(this: Mocha.Runnable, ...args: unknown[]): never {
  const own: unknown = Reflect.apply(timeout, this, args);
  const isLimit = args.length === 0 && typeof own === "number" && own > 0;
  return (isLimit ? Math.max(own, TEST_MS) : own) as never;
};
