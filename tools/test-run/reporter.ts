// Reporter: mocha's own `spec` for people, and the counts as JSON for test-run.ts.
//
// Mocha loads a reporter by its default export or module.exports, hence the one default export.

import { writeFileSync } from "node:fs";
import Mocha from "mocha";

/** What a test left open may take to close. */
export const LINGER_MS = 10_000;

const { Spec } = Mocha.reporters;

class CountingSpec extends Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { result } = options.reporterOptions as { result: string };
    runner.once("end", () => {
      const { passes: passed, failures: failed, pending } = this.stats;
      writeFileSync(result, JSON.stringify({ passed, failed, pending }));
      // Fires only while something else holds the process (test-run/main.2). On its exit, children are killed.
      setTimeout(() => {
        console.log("warning: a test left something open; mocha did not end by itself (TR3)");
        process.exit(failed === 0 ? 0 : 1);
      }, LINGER_MS).unref();
    });
  }
}

// oxlint-disable-next-line import/no-default-export -- the only form that mocha takes
export default CountingSpec;
