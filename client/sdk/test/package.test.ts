// The package: what its files hold. package.e2e.ts installs it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { buildSdk, PACKAGE } from "#tools/sdk/build.ts";
import { printFigure } from "#tools/test-run/figure.ts";

/**
 * The entry `.` with everything that it imports, as a CDN sends it. The rest of the way to 14,000
 * would cost developers: the texts of refusals and TypeErrors, or names that are cut.
 */
const CORE_BYTES_MAX = 14_600;
const DIST = join(PACKAGE, "dist");
/** A statement at the begin of a line or behind another one, or a dynamic import. */
const IMPORT =
  /(?:^|;)(?:import|export)(?:[\s\w{},*$]*?from)?\s*["'`]([^"'`]+)["'`]|\bimport\(["'`]([^"'`]+)/gm;

describe("The package @parley/client", function () {
  this.timeout(120_000);

  before(buildSdk);

  const importsOf = (file: string): string[] =>
    [...readFileSync(join(DIST, file), "utf8").matchAll(IMPORT)].map(
      ([, name, dynamic = ""]) => name ?? dynamic,
    );

  /** The file and the chunks that it imports. */
  const closure = (file: string, found = new Set<string>()): Set<string> => {
    if (found.has(file)) return found;
    found.add(file);
    for (const name of importsOf(file)) {
      if (name.startsWith("./")) closure(name.slice(2), found);
    }
    return found;
  };

  it("the client is at most 14.6 kB gzipped, with everything", () => {
    const files = [...closure("client.js")];
    const bytes = files
      .map((file) => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length)
      .reduce((sum, size) => sum + size, 0);
    printFigure(`@parley/client: ${bytes} bytes gzipped, of ${CORE_BYTES_MAX}`);
    expect(bytes).to.be.at.most(CORE_BYTES_MAX);
  });

  it("no file imports a package at run time or in its types, except the framework of its hooks", () => {
    const allowed: Record<string, readonly string[]> = {
      react: ["react"],
      preact: ["preact/compat", "preact/hooks"],
      node: ["node:fs/promises", "node:path"],
    };
    for (const file of readdirSync(DIST)) {
      const foreign = importsOf(file).filter((name) => !name.startsWith("./"));
      const entry = file.split(".")[0] ?? "";
      expect(foreign, file).to.have.members(file.endsWith(".js") ? (allowed[entry] ?? []) : []);
    }
  });

  it("the client has no import of Node", () => {
    for (const file of closure("client.js")) {
      expect(readFileSync(join(DIST, file), "utf8"), file).not.to.match(/node:|process\.|Buffer\b/);
    }
  });

  it("the manifest names every entry and no dependency", () => {
    const manifest = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as {
      exports: Record<string, string | { types: string; default: string }>;
      dependencies?: unknown;
    };
    expect(manifest.dependencies).to.equal(undefined);
    const files = readdirSync(DIST);
    for (const entry of Object.values(manifest.exports)) {
      if (typeof entry === "string") continue;
      for (const path of [entry.types, entry.default]) {
        expect(files).to.include(path.replace("./dist/", ""));
      }
    }
  });
});
