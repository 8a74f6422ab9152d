// Reporter: mocha's `spec` output for the terminal, and the counts as JSON for main.ts.
//
// Mocha loads a reporter by its default export, so this file has one.

import { writeFileSync } from "node:fs";
import Mocha from "mocha";
import { openTimers, recordTimers } from "./open-timers.ts";

/** The time that handles of tests may take to close. */
export const LINGER_MS = 10_000;

const { Spec } = Mocha.reporters;

class CountingSpec extends Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    recordTimers();
    const { result } = options.reporterOptions as { result: string };
    runner.once("end", () => {
      const { passes: passed, failures: failed, pending } = this.stats;
      const failures = this.failures.map((test) => test.fullTitle());
      writeFileSync(result, JSON.stringify({ passed, failed, pending, failures }));
      // Fires only while a handle keeps the process alive (test-run/main.2). The exit kills
      // children.
      setTimeout(() => {
        console.log("warning: a test left a handle open, so mocha did not exit (test-run/main.2)");
        console.log(`open: ${process.getActiveResourcesInfo().join(", ")}`);
        for (const place of openTimers()) console.log(`a timer was set at:\n${place}`);
        // The suite would wait for this handle until its own timeout.
        process.exit(failed === 0 ? 0 : 1);
      }, LINGER_MS).unref();
    });
  }
}

// oxlint-disable-next-line import/no-default-export -- mocha requires it
export default CountingSpec;
