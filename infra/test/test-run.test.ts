// The runner of all tests, on small suites of its own: what it must never do is call a red run green.

import { expect } from "chai";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judge, runMocha } from "../test-run.ts";

describe("Test run", () => {
  it("TR1: a crash, a silence and a run without a test are failures", () => {
    const none = { passed: 0, failed: 0, pending: 0 };
    expect(judge(0, undefined).failed).to.equal(1);
    expect(judge(0, none).failed).to.equal(1);
    expect(judge(null, { ...none, passed: 5 })).to.deep.equal({ ...none, passed: 5, failed: 1 });
    expect(judge(7, { ...none, passed: 5 }).failed).to.equal(1);
    expect(judge(3, { ...none, passed: 5, failed: 3 }).failed).to.equal(3);
    expect(judge(0, { ...none, passed: 5 })).to.deep.equal({ ...none, passed: 5 });
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
      what: "a hook that fails is a failure",
      text: `before(() => { throw new Error("x") }); it("a", () => {});`,
      expected: { passed: 0, failed: 1, pending: 0 },
    },
  ]) {
    it(`TR1: ${what}`, async () => {
      const dir = await mkdtemp(join(tmpdir(), "parley-run-"));
      const file = join(dir, "small.test.mjs");
      await writeFile(file, text);
      const suite = { files: [file], timeoutMs: 2_000 };
      expect(await runMocha(suite, "ignore")).to.deep.equal(expected);
      await rm(dir, { recursive: true });
    });
  }
});
