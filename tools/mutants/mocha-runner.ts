// Mocha runner: a StrykerJS plugin that runs the tests through mocha's public interface.
//
// The mocha plugin of StrykerJS imports private files that mocha 12 no longer has.
// Does not own: which files are mutated and which tests run (folders.ts), or the verdict (main.ts).
//
//   1. Test files are loaded once for each process. A mutant that is active only while files load
//     is
//      therefore run in a new process; StrykerJS does that when `reloadEnvironment` is false.
//   2. Properties use one seed, so that a mutant is judged by the same cases in every run.
//   3. The tests of the mutated file run first: they detect most of its mutants, and are fast. The
//      first failing test ends the run, so the order changes its time and not its result.

import { PluginKind } from "@stryker-mutator/api/plugin";
import { DryRunStatus, TestStatus } from "@stryker-mutator/api/test-runner";
import { determineHitLimitReached, toMutantRunResult } from "@stryker-mutator/api/test-runner";
import type {
  DryRunOptions,
  DryRunResult,
  MutantRunOptions,
  MutantRunResult,
  TestResult,
  TestRunner,
} from "@stryker-mutator/api/test-runner";
import type { MutantCoverage, StrykerOptions } from "@stryker-mutator/api/core";
import { configureGlobal, readConfigureGlobal } from "fast-check";
import { globSync } from "node:fs";
import { basename, resolve } from "node:path";
import Mocha from "mocha";

/** The global object that instrumented code and a runner share. */
const NAMESPACE = "__stryker__";
const SEED = 20_260_000;

/** The part of that object that a runner uses. */
interface Instrumented {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  readonly mutantCoverage?: MutantCoverage;
}

/** Prints nothing: StrykerJS reads the results, but mocha requires a reporter. */
class SilentReporter extends Mocha.reporters.Base {}

class MochaRunner implements TestRunner {
  readonly #context: Instrumented;
  readonly #mocha: Mocha;
  /** In the order of the files. */
  #suites: readonly Mocha.Suite[] = [];
  #isLoaded = false;
  #isDryRun = false;

  constructor(files: readonly string[]) {
    const scope = globalThis as unknown as Record<string, Instrumented | undefined>;
    this.#context = scope[NAMESPACE] ??= {};
    this.#mocha = new Mocha({ timeout: 0, reporter: SilentReporter });
    this.#mocha.cleanReferencesAfterRun(false);
    for (const file of files) this.#mocha.addFile(file);
  }

  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async dryRun({ coverageAnalysis, disableBail }: DryRunOptions): Promise<DryRunResult> {
    this.#isDryRun = coverageAnalysis === "perTest";
    await this.#load(undefined);
    const tests = await this.#run(disableBail);
    this.#isDryRun = false;
    const { mutantCoverage } = this.#context;
    return {
      status: DryRunStatus.Complete,
      tests,
      ...(mutantCoverage !== undefined && { mutantCoverage }),
    };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, testFilter, hitLimit, mutantActivation, disableBail } = options;
    this.#context.hitLimit = hitLimit;
    this.#context.hitCount = hitLimit === undefined ? undefined : 0;
    const titles = testFilter?.map((title) => `^${literally(title)}$`).join("|");
    this.#mocha.grep(new RegExp(titles ?? ""));
    await this.#load(mutantActivation === "static" ? activeMutant.id : undefined);
    this.#context.activeMutant = activeMutant.id;
    this.#mocha.suite.suites = ownFirst(this.#suites, activeMutant.fileName); // 3
    const tests = await this.#run(disableBail);
    const { hitCount } = this.#context;
    const limited = determineHitLimitReached(hitCount, hitLimit);
    return toMutantRunResult(limited ?? { status: DryRunStatus.Complete, tests });
  }

  async #load(activeMutant: string | undefined): Promise<void> {
    if (this.#isLoaded) return; // 1
    this.#isLoaded = true;
    this.#context.activeMutant = activeMutant;
    await this.#mocha.loadFilesAsync();
    this.#suites = this.#mocha.suite.suites;
    configureGlobal({ ...readConfigureGlobal(), seed: SEED }); // 2
  }

  async #run(disableBail: boolean): Promise<TestResult[]> {
    setBail(this.#mocha.suite, !disableBail);
    const tests: TestResult[] = [];
    await new Promise<void>((done) => {
      const runner = this.#mocha.run(() => done());
      let began = performance.now();
      const add = (test: Mocha.Runnable, failure?: string): void => {
        const id = test.ctx?.currentTest?.fullTitle() ?? test.fullTitle();
        const timeSpentMs = performance.now() - began;
        const common = { id, name: id, timeSpentMs };
        const { file } = test;
        const where = file === undefined ? common : { ...common, fileName: file };
        tests.push(
          failure === undefined
            ? { ...where, status: TestStatus.Success }
            : { ...where, status: TestStatus.Failed, failureMessage: failure },
        );
      };
      runner.on("test", (test) => {
        began = performance.now();
        if (this.#isDryRun) this.#context.currentTestId = test.fullTitle();
      });
      runner.on("pass", (test) => add(test));
      runner.on("fail", (test, error: unknown) => add(test, String(error)));
    });
    return tests;
  }
}

/** `room.test.ts` is before `room-state.test.ts`, and both are before the others, for `room.ts`. */
function ownFirst(suites: readonly Mocha.Suite[], mutated: string): Mocha.Suite[] {
  const name = basename(mutated, ".ts");
  const rank = ({ file = "" }: Mocha.Suite): number => {
    const test = basename(file);
    if (test.startsWith(`${name}.`)) return 0;
    return test.startsWith(`${name}-`) ? 1 : 2;
  };
  return suites.toSorted((a, b) => rank(a) - rank(b));
}

function literally(title: string): string {
  return title.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

function setBail(suite: Mocha.Suite, bail: boolean): void {
  suite.bail(bail);
  for (const child of suite.suites) setBail(child, bail);
}

function createRunner(options: StrykerOptions): TestRunner {
  const { tests, without } = options["parley"] as Record<"tests" | "without", readonly string[]>;
  const exclude = new Set(without.flatMap((pattern) => globSync(pattern)));
  const files = new Set(tests.flatMap((pattern) => globSync(pattern).toSorted()));
  return new MochaRunner([...files].filter((f) => !exclude.has(f)).map((f) => resolve(f)));
}
createRunner.inject = ["options"] as const;

export const strykerPlugins = [
  { kind: PluginKind.TestRunner, name: "parley-mocha", factory: createRunner },
];

/** StrykerJS accepts a plugin option only if the plugin declares it. */
export const strykerValidationSchema = {
  type: "object",
  properties: { parley: { type: "object" } },
};
