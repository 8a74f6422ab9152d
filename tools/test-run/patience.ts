// Test patience: the least time that a run of tests gives a wait and a test. Mocha loads it first.
//
// A deadline of a test says that something hangs, never how fast it has to be; a test that judges speed
// measures it. So a busy machine must not reach one. Tests were written with deadlines of a few times what a
// quiet machine needs, and each new one would be again.
//
//   patience.1. `until` and `within` wait for WAIT_MS at least, and a test, hook or suite may take TEST_MS, whatever
//        they ask for. A wait is shorter than a test, so it is the wait that says what did not come.

import Mocha from "mocha";
import { waitAtLeast } from "#shared/testing/wait.ts";

const WAIT_MS = 90_000;
const TEST_MS = 600_000;

waitAtLeast(WAIT_MS);

const { prototype } = Mocha.Runnable;
// oxlint-disable-next-line typescript/unbound-method -- called with its runnable below
const { timeout } = prototype;

/** With an argument it sets the limit, as before; without one it says which is in force. */
prototype.timeout = function limited(this: Mocha.Runnable, ...args: unknown[]): never {
  const own: unknown = Reflect.apply(timeout, this, args);
  const isLimit = args.length === 0 && typeof own === "number" && own > 0;
  return (isLimit ? Math.max(own, TEST_MS) : own) as never;
};
