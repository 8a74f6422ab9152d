import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { faultsOf, notesOf } from "../main.ts";
import type { ReadFile } from "../main.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CHANGELOG = `# Changelog

## Unreleased

- Next.

## 1.2.30

- Other.

## 1.2.3 (2026-11-29)

- See [the page](docs/x.md#y), [web](https://x.example) and [here](#z).

### Before

- Old.

## 1.2.2

`;
const FILES: Readonly<Record<string, string>> = {
  "package.json": `{"version":"1.2.3"}`,
  "package-lock.json": `{"version":"1.2.3"}`,
  "client/sdk/package/package.json": `{"version":"1.2.3"}`,
  "infra/helm/parley/Chart.yaml": `version: 1.2.3\nappVersion: "1.2.3"\n`,
  "infra/docker/Dockerfile": "ENV npm_package_version=1.2.3 METRICS_PORT=9464\n",
  "CHANGELOG.md": CHANGELOG,
};
const read: ReadFile = (path) => FILES[path]!;

describe("The files of a release", () => {
  it("release/main.1: accepts a tag that every file states", () => {
    expect(faultsOf("v1.2.3", read)).to.deep.equal([]);
  });

  for (const [path, count] of [
    ["package.json", 1],
    ["package-lock.json", 1],
    ["infra/helm/parley/Chart.yaml", 2],
    ["infra/docker/Dockerfile", 1],
  ] as const) {
    it(`release/main.1: reports another version in ${path}`, () => {
      const other: ReadFile = (one) =>
        one === path ? read(one).replaceAll("1.2.3", "1.2.4") : read(one);
      const faults = faultsOf("v1.2.3", other);
      expect(faults).to.have.length(count);
      for (const fault of faults) expect(fault).to.contain("states 1.2.4; the tag states 1.2.3");
    });
  }

  it("release/main.1: reports a missing and an empty section of CHANGELOG.md", () => {
    const without: ReadFile = (path) =>
      path === "CHANGELOG.md" ? "## Unreleased\n- x\n" : read(path);
    expect(faultsOf("v1.2.3", without)).to.have.length(1);
    expect(faultsOf("v1.2.2", read).at(-1)).to.contain('no text under "## 1.2.2"');
  });

  for (const tag of ["", "1.2.3", "v1.2", "v1.2.3-rc.1", "v1.2.3$(id)", "v1.2.3\n"]) {
    it(`release/main.1: refuses the tag ${JSON.stringify(tag)}`, () => {
      const faults = faultsOf(tag, read);
      expect(faults).to.have.length(1);
      expect(faults[0]).to.contain("expected a tag like v1.2.3");
    });
  }

  it("release/main.2: the notes are the section of the tag, with links to the tree at the tag", () => {
    expect(notesOf("v1.2.3", read, "https://g.example/o/r/blob/v1.2.3")).to.equal(
      "- See [the page](https://g.example/o/r/blob/v1.2.3/docs/x.md#y), " +
        "[web](https://x.example) and [here](#z).\n\n### Before\n\n- Old.",
    );
    expect(notesOf("v1.2.30", read)).to.equal("- Other.");
  });

  it("release/main.1: the files of this tree state one version", () => {
    const own: ReadFile = (path) => readFileSync(join(ROOT, path), "utf8");
    const { version } = JSON.parse(own("package.json")) as { version: string };
    const faults = faultsOf(`v${version}`, own).filter((fault) => fault.includes("states"));
    expect(faults).to.deep.equal([]);
  });
});
