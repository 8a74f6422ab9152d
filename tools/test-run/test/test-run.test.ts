// The test runner on small suites: it never reports success for a failed run.

import { expect } from "chai";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { identify, isSame } from "#shared/process/identity.ts";
import { until } from "#shared/testing/wait.ts";
import { runSuite } from "../main.ts";
import { judge, NONE, runMocha } from "../mocha.ts";

const urlOf = (file: string): string => new URL(file, import.meta.url).href;
/** Begins a test file that skips. */
const SKIPPING = `import { foundOrSkip } from "${urlOf("../skip.ts")}";
  import { ToolMissing } from "${urlOf("../../programs/programs.ts")}";`;

describe("Test run", () => {
  it("test-run/main.1: a crash, a missing report and a run without a test are failures", () => {
    expect(judge(0, undefined, []).failed).to.equal(1);
    expect(judge(0, NONE, []).failed).to.equal(1);
    const ended = judge(null, { ...NONE, passed: 5 }, ["a.ts"]);
    expect(ended).to.deep.equal({
      ...NONE,
      passed: 5,
      failed: 1,
      failures: ["mocha, with a.ts"],
    });
    expect(judge(7, { ...NONE, passed: 5 }, []).failed).to.equal(1);
    expect(judge(3, { ...NONE, passed: 5, failed: 3 }, []).failed).to.equal(3);
    expect(judge(0, { ...NONE, passed: 5 }, [])).to.deep.equal({ ...NONE, passed: 5 });
    expect(judge(0, { ...NONE, pending: 1 }, [])).to.deep.equal({ ...NONE, pending: 1 });
  });

  for (const { what, text, expected } of [
    {
      what: "counts what passed, failed and is pending",
      text: `it("a", () => {}); it("b", () => { throw new Error("x") }); it("c");`,
      expected: { passed: 1, failed: 1, pending: 1 },
    },
    {
      what: "a file that does not load is a failure",
      text: `it("a", () => {}); throw new Error("at load");`,
      expected: { passed: 0, failed: 1, pending: 0 },
    },
    {
      what: "a file that ends the process is a failure",
      text: `it("a", () => process.exit(0));`,
      expected: { passed: 0, failed: 1, pending: 0 },
    },
    {
      what: "an exclusive test is a failure",
      text: `it.only("a", () => {});`,
      expected: { passed: 0, failed: 1, pending: 0 },
    },
    {
      what: "a test without its program is pending, and one with another error is a failure",
      text: `${SKIPPING}
        it("a", async function () {
          if ((await foundOrSkip(this, Promise.resolve(3))) !== 3) throw new Error("x");
        });
        it("b", function () {
          return foundOrSkip(this, Promise.reject(new Error("x")));
        });
        it("c", function () {
          return foundOrSkip(this, Promise.reject(new ToolMissing("x")));
        });`,
      expected: { passed: 1, failed: 1, pending: 1 },
    },
    {
      what: "a hook that fails is a failure",
      text: `before(() => { throw new Error("x") }); it("a", () => {});`,
      expected: { passed: 0, failed: 1, pending: 0 },
    },
  ]) {
    it(`test-run/main.1: ${what}`, async () => {
      const dir = await mkdtemp(join(tmpdir(), "parley-run-"));
      const file = join(dir, "small.test.mjs");
      await writeFile(file, text);
      const { count } = await runMocha({ files: [file], timeoutMs: 2_000 }, "ignore");
      const { passed, failed, pending } = count;
      expect({ passed, failed, pending }).to.deep.equal(expected);
      expect(count.failures).to.have.length(failed);
      await rm(dir, { recursive: true });
    });
  }

  it("test-run/main.2: mocha exits although a test left a handle open, and kills the children of the test", async () => {
    const dir = await mkdtemp(join(tmpdir(), "parley-run-"));
    const file = join(dir, "small.test.mjs");
    const pidFile = join(dir, "pid");
    const child = fileURLToPath(new URL("../../../shared/testing/child.ts", import.meta.url));
    await writeFile(
      file,
      `import { writeFileSync } from "node:fs";
      import { startChild } from ${JSON.stringify(child)};
      it("test-run/main.2: a", async () => {
        const args = ["--eval", "setInterval(() => {}, 1000)"];
        const child = await startChild(process.execPath, args, { logFile: ${JSON.stringify(join(dir, "log"))} });
        writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
      });`,
    );
    const { count } = await runMocha({ files: [file], timeoutMs: 2_000 }, "ignore");
    expect(count).to.deep.equal({ ...NONE, passed: 1 });
    const left = identify(Number(await readFile(pidFile, "utf8")));
    await until(() => left === undefined || !isSame(left), {
      withinMs: 60_000,
      what: "the child of the test to be gone",
    });
    await rm(dir, { recursive: true });
  });

  it("patience.1: a wait and a test with short deadlines get the minimum deadlines", async () => {
    const dir = await mkdtemp(join(tmpdir(), "parley-run-"));
    const file = join(dir, "small.test.mjs");
    const wait = fileURLToPath(new URL("../../../shared/testing/wait.ts", import.meta.url));
    await writeFile(
      file,
      `import { until } from ${JSON.stringify(wait)};
      it("patience.1: a", async function () {
        this.timeout(1_500);
        const at = performance.now() + 2_500;
        await until(() => performance.now() > at, { withinMs: 1_000, what: "later" });
      });`,
    );
    const { count } = await runMocha({ files: [file], timeoutMs: 1_000 }, "ignore");
    expect(count).to.deep.equal({ ...NONE, passed: 1 });
    await rm(dir, { recursive: true });
  });

  it("test-run/main.4: each file runs once, two at a time, and the count names each failure", async () => {
    const dir = await mkdtemp(join(tmpdir(), "parley-run-"));
    for (const [name, text] of [
      ["a", `describe("a", () => { it("fails", () => { throw new Error("x") }); });`],
      ["b", `it("passes", () => {});`],
      ["c", `it("passes", () => {}); it("waits");`],
      ["d", `throw new Error("at load");`],
    ] as const) {
      await writeFile(join(dir, `${name}.test.mjs`), text);
    }
    const suite = { files: ["c*", "*.test.mjs"], timeoutMs: 2_000, jobs: 2, filesPerJob: 1 };
    const count = await runSuite(suite, dir, () => undefined);
    expect(count).to.include({ passed: 2, failed: 2, pending: 1 });
    expect(count.failures).to.have.members(["a fails", `mocha, with ${join(dir, "d.test.mjs")}`]);
    const none = await runSuite({ ...suite, files: ["*.absent.mjs"] }, dir, () => undefined);
    expect(none).to.deep.equal({ ...NONE, failed: 1, failures: ["no file: *.absent.mjs"] });
    await rm(dir, { recursive: true });
  });
});
