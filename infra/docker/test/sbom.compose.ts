// The SBOM of the image against the lockfile: every production package in its version, nothing for
// development, and the packages of Debian.

import { expect } from "chai";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../../embedded/service-process.ts";
import { foundOrSkip } from "#tools/test-run/skip.ts";
import { buildImage, localBase } from "../images.ts";
import { writeSbom } from "../sbom.ts";

const IMAGE = "parley:test";

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const purlOf = (name: string, version: string): string =>
  `pkg:npm/${name.replace("@", "%40")}@${version}`;

describe("The SBOM of the image", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "parley-sbom-"));
  let bom: Bom;

  before(async function () {
    buildImage(IMAGE);
    const file = join(folder, "bom.json");
    await foundOrSkip(this, writeSbom(IMAGE, file));
    bom = JSON.parse(readFileSync(file, "utf8")) as Bom;
  });
  after(() => rmSync(folder, { recursive: true }));

  it("E7: is CycloneDX, and every component has a name and a version", () => {
    expect(bom.bomFormat).to.equal("CycloneDX");
    expect(bom.specVersion).to.match(/^1\.\d$/);
    for (const { type, name, version } of bom.components) {
      expect(name).to.be.a("string").and.not.equal("");
      if (type === "library") expect(version, name).to.be.a("string").and.not.equal("");
    }
  });

  it("E7: lists every production package of the lockfile in its version, and none for development", () => {
    const { packages } = JSON.parse(
      readFileSync(join(REPOSITORY, "package-lock.json"), "utf8"),
    ) as { packages: Record<string, Locked> };
    const listed = new Set(bom.components.map(({ purl }) => purl?.split("?")[0]));
    const locked = Object.entries(packages).filter(([path]) => path !== "");
    const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + 13);
    const production = locked.filter(([, { dev, optional }]) => dev !== true && optional !== true);
    expect(production.length).to.be.greaterThan(100);
    const wanted = new Set(production.map(([path, { version }]) => purlOf(nameOf(path), version)));
    expect([...wanted].filter((purl) => !listed.has(purl))).to.deep.equal([]);
    const development = locked
      .filter(([, { dev }]) => dev === true)
      .map(([path, { version }]) => purlOf(nameOf(path), version))
      .filter((purl) => !wanted.has(purl));
    expect(development.length).to.be.greaterThan(100);
    // Node is a development package for `make`, and a program in the image.
    expect(development.filter((purl) => listed.has(purl))).to.deep.equal([]);
  });

  it("E7: lists Node and the packages of Debian", () => {
    const [, version] = /^node:([\d.]+)-/.exec(localBase())!;
    const node = bom.components.filter(({ name }) => name === "node");
    expect(node.map((one) => one.version)).to.include(version);
    const debian = bom.components.filter(
      ({ purl }) => purl?.startsWith("pkg:deb/debian/") === true,
    );
    expect(debian.map(({ name }) => name)).to.include.members([
      "libc6",
      "libstdc++6",
      "base-files",
    ]);
  });
});
