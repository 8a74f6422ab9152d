// The CI workflows: actionlint, the own rules, and proof that each of them can fail.

import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { ACTIONLINT, ensureGoProgram } from "../../programs/go-program.ts";
import { foundOrSkip } from "../../test-run/skip.ts";
import { checkWorkflow, verbsOf } from "../rules.ts";
import type { Workflow } from "../rules.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const FOLDER = join(ROOT, ".github/workflows");
const NAMES = readdirSync(FOLDER);

const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");
const jobsOf = (name: string): NonNullable<Workflow["jobs"]> =>
  (parse(read(name)) as Workflow).jobs ?? {};
const scriptOf = (name: string, job: string): string =>
  (jobsOf(name)[job]?.steps ?? []).map(({ run }) => run ?? "").join("\n");

/** A workflow that breaks no rule. */
const GOOD = `on: push
permissions: {}
jobs:
  check:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@${"a".repeat(40)} # v1.2.3
        with:
          persist-credentials: false
      - run: make check
`;

describe("The CI workflows", () => {
  const verbs = verbsOf(readFileSync(join(ROOT, "Makefile"), "utf8"));

  describe("with actionlint", function () {
    this.timeout(10 * 60_000); // It may be built here, once.
    let actionlint = "";

    before(async function () {
      actionlint = await foundOrSkip(this, ensureGoProgram(ACTIONLINT));
    });

    /** Linters of other languages are off: they run only where they are installed. */
    function lint(text: string): { status: number | null; stdout: string } {
      const args = ["-no-color", "-shellcheck=", "-pyflakes=", "-"];
      return spawnSync(actionlint, args, { input: text, encoding: "utf8" });
    }

    for (const name of NAMES) {
      it(`${name} has no fault`, () => {
        const { status, stdout } = lint(read(name));
        expect(stdout).to.equal("");
        expect(status).to.equal(0);
      });
    }

    for (const { what, from, to, found } of [
      { what: "an unknown runner", from: "ubuntu-24.04", to: "ubuntu-1.04", found: "ubuntu-1.04" },
      { what: "an unknown key", from: "timeout-minutes", to: "timeout", found: '"timeout"' },
      { what: "an unknown scope", from: "contents: read", to: "content: read", found: "content" },
      { what: "an unknown event", from: "on: push", to: "on: pushed", found: "pushed" },
    ]) {
      it(`finds ${what}`, () => {
        expect(lint(GOOD).stdout).to.equal("");
        const { status, stdout } = lint(GOOD.replace(from, to));
        expect(status).to.equal(1);
        expect(stdout).to.contain(found);
      });
    }
  });

  for (const name of NAMES) {
    it(`${name} keeps the rules`, () => {
      expect(checkWorkflow({ path: name, text: read(name) }, verbs)).to.deep.equal([]);
    });
  }

  for (const { rule, what, from, to, found } of [
    { rule: 1, what: "no permissions", from: "permissions: {}\n", to: "", found: "at the top" },
    {
      rule: 1,
      what: "a grant at the top",
      from: "{}",
      to: "{ contents: read }",
      found: "at the top",
    },
    {
      rule: 1,
      what: "a job with all permissions",
      from: "permissions:\n      contents: read",
      to: "permissions: write-all",
      found: "must list each scope",
    },
    {
      rule: 1,
      what: "a job without permissions",
      from: "    permissions:\n      contents: read\n",
      to: "",
      found: "must list each scope",
    },
    { rule: 2, what: "a tag", from: "a".repeat(40), to: "v1", found: "lacks a full SHA" },
    {
      rule: 2,
      what: "a short SHA",
      from: "a".repeat(40),
      to: "abcdef1",
      found: "lacks a full SHA",
    },
    {
      rule: 2,
      what: "a SHA without a version",
      from: " # v1.2.3",
      to: "",
      found: "lacks a full SHA",
    },
    { rule: 3, what: "an unknown verb", from: "make check", to: "make tea", found: "no verb tea" },
    {
      rule: 3,
      what: "an unknown second verb",
      from: "make check",
      to: "true && make check A=1 tea",
      found: "no verb tea",
    },
    {
      rule: 4,
      what: "an expression in a script",
      from: "make check",
      to: "echo ${{ github.ref_name }}",
      found: "through env",
    },
    { rule: 5, what: "no timeout", from: "    timeout-minutes: 5\n", to: "", found: "timeout" },
    {
      rule: 5,
      what: "a kept token",
      from: "persist-credentials: false",
      to: "fetch-depth: 1",
      found: "persist-credentials",
    },
  ]) {
    it(`workflows/rules.${rule}: finds ${what}`, () => {
      expect(checkWorkflow({ path: "x.yml", text: GOOD }, verbs)).to.deep.equal([]);
      const faults = checkWorkflow({ path: "x.yml", text: GOOD.replace(from, to) }, verbs);
      expect(faults).to.have.length(1);
      expect(faults[0]).to.contain(found);
    });
  }

  it("only the jobs that publish may write, each to one place", () => {
    const writers = NAMES.flatMap((name) =>
      Object.entries(jobsOf(name)).flatMap(([job, { permissions }]) =>
        Object.entries(permissions as Record<string, string>)
          .filter(([, access]) => access !== "read")
          .map(([scope, access]) => `${name} ${job} ${scope}: ${access}`),
      ),
    );
    expect(writers).to.have.members([
      "release.yml image packages: write",
      "release.yml chart packages: write",
      "release.yml notes contents: write",
    ]);
  });

  it("a change runs make check and make test; a release runs make test before it publishes", () => {
    expect(Object.keys(jobsOf("check.yml"))).to.deep.equal(["check", "test", "lighthouse"]);
    expect(scriptOf("check.yml", "lighthouse").trim()).to.equal("make lighthouse RUNS=1");
    expect(scriptOf("check.yml", "check").trim()).to.equal("make check");
    expect(scriptOf("check.yml", "test").trim()).to.equal("make test");
    expect(scriptOf("release.yml", "test")).to.contain("make test");
    const { jobs } = parse(read("release.yml")) as { jobs: Record<string, { needs?: string }> };
    const order = Object.entries(jobs).map(([job, { needs }]) => [job, needs]);
    expect(order).to.deep.equal([
      ["test", undefined],
      ["image", "test"],
      ["chart", "image"],
      ["notes", "chart"],
    ]);
  });

  it("image and chart have different names in the registry", () => {
    // `helm push` adds the name of the chart, which is also the name of the image.
    expect(scriptOf("release.yml", "image")).to.contain(
      'docker push "ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/parley:',
    );
    expect(scriptOf("release.yml", "chart")).to.contain(
      '"oci://ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/charts"',
    );
  });

  it("make image builds what compose.yaml builds", () => {
    const compose = parse(readFileSync(join(ROOT, "compose.yaml"), "utf8"), { merge: true }) as {
      services: { prepare: { build: { context: string; dockerfile: string } } };
    };
    const { context, dockerfile } = compose.services.prepare.build;
    const makefile = readFileSync(join(ROOT, "Makefile"), "utf8");
    const recipe = /^image:.*\n\t(.*)$/m.exec(makefile)?.[1];
    expect(recipe).to.match(/ \.$/).and.to.contain(`--file ${dockerfile} `);
    expect(context).to.equal(".");
  });

  it("the release attaches the SBOM of the image that it pushed", () => {
    const pushed = /docker push (\S+)/.exec(scriptOf("release.yml", "image"))?.[1];
    const notes = scriptOf("release.yml", "notes");
    expect(notes)
      .to.contain(`docker pull ${pushed}\n`)
      .and.to.contain(`make sbom IMAGE=${pushed}\n`);
    expect(notes.indexOf("make release-files")).to.be.lessThan(notes.indexOf("make sbom"));
    const file = /const OUT = "(.*)"/.exec(
      readFileSync(join(ROOT, "infra/docker/sbom.ts"), "utf8"),
    );
    expect(notes)
      .to.match(/gh release create .* \S+$/m)
      .and.to.contain(` ${file?.[1]}`);
  });

  it("the package is private, because the release publishes none", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as object;
    expect(manifest).to.have.property("private", true);
  });
});
