// Skip: leaves a test out on a machine without what the test needs, such as a program or a right.
//
// This is the only place that skips a test, and only for what the machine lacks: the runner names
// pending tests (test-run/main.3), and a suite in which every test is pending fails. A test that
// fails is repaired or deleted.
//
//   test-run/skip.1. The reason is printed: a count of pending tests does not say what is missing.

import { ToolMissing } from "../programs/programs.ts";

export function skipTest(test: Mocha.Context, reason: string): never {
  console.log(`    skipped: ${reason}`); // test-run/skip.1
  test.skip();
}

/** Resolves as `found` does. Skips the test when a program is missing and cannot be built. */
export async function foundOrSkip<T>(test: Mocha.Context, found: Promise<T>): Promise<T> {
  try {
    return await found;
  } catch (error: unknown) {
    if (!(error instanceof ToolMissing)) throw error;
    return skipTest(test, error.message);
  }
}
