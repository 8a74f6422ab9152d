// Reporter: mocha's own `spec` for people, and the counts as JSON for test-run.ts.
//
// Mocha loads a reporter by its default export or module.exports, hence the one default export.

import { writeFileSync } from "node:fs";
import Mocha from "mocha";

const { Spec } = Mocha.reporters;

class CountingSpec extends Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { result } = options.reporterOptions as { result: string };
    runner.once("end", () => {
      const { passes: passed, failures: failed, pending } = this.stats;
      writeFileSync(result, JSON.stringify({ passed, failed, pending }));
    });
  }
}

// oxlint-disable-next-line import/no-default-export -- the only form that mocha takes
export default CountingSpec;
