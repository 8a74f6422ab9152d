// The documentation site: every document becomes a page, every link leads somewhere, and the
// comparison names a test for each "yes" of Parley. The site itself is built by `make docs`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { apiPage } from "../api-page.ts";
import { anchorOf, configOf } from "../config.ts";
import { deadLinks } from "../links.ts";
import { API, stageSite } from "../stage.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const TEST = /^\.\.\/(?:[\w.-]+\/)+[\w.-]+\.(?:test|e2e|kubernetes)\.ts$/;

describe("The documentation site", () => {
  it("stage.1, stage.2: every document is a page, and its links lead to pages of the site", () => {
    const { pages, assets } = stageSite(ROOT);
    const places = new Set(pages.map(({ place }) => place));
    expect(places.size).to.equal(pages.length);
    for (const place of ["index.md", "SPEC.md", "cli.md", "operating/index.md", "http-api.md"]) {
      expect(places).to.include(place);
    }
    for (const { place, text } of pages.filter((page) => !page.place.startsWith("source/"))) {
      const plain = text.replaceAll(/^(?:```|~~~)[^]*?^(?:```|~~~)|`[^`\n]*`/gm, "");
      for (const [, link = ""] of plain.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)) {
        const target = join("/", place, "..", link).slice(1);
        expect(places.has(target) || assets.has(target), `${place}: ${link}`).to.equal(true);
      }
    }
  });

  it("docs-site/links.1: finds a link to a missing page and to a missing heading", () => {
    const site = new Map<string, string | undefined>([
      ["index.html", '<a href="/docs/b.html#there">b</a> <a href="https://example.com/x">x</a>'],
      ["b.html", '<h1 id="there">b</h1> <a href="/docs/c.html">c</a> <a href="#gone">gone</a>'],
      ["d/index.html", '<a href="../b.html">b</a> <img src="/docs/e.png">'],
    ]);
    expect(deadLinks(site, "/docs/")).to.deep.equal([
      "b.html: /docs/c.html leads nowhere",
      "b.html: #gone has no such place",
      "d/index.html: /docs/e.png leads nowhere",
    ]);
  });

  it("makes a page of the description of the HTTP API", () => {
    const page = apiPage(JSON.parse(readFileSync(join(ROOT, API), "utf8")));
    expect(page).to.contain("`POST /v1/rooms`").and.to.contain("| parameter | in | type | |");
    expect(page).to.not.match(/\[object Object\]|undefined/);
  });

  it("makes anchors as GitHub does, and lists every decision", () => {
    expect(anchorOf("What `x` is, and isn't")).to.equal("what-x-is-and-isnt");
    const config = JSON.stringify(
      configOf({ base: "/", titles: { "decisions/001-x.md": "001: x" } }),
    );
    expect(config).to.contain("/decisions/001-x");
  });
});

describe("docs/compare.md", () => {
  const text = readFileSync(join(ROOT, "docs/compare.md"), "utf8");
  const rows = text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| |"))
    .map((line) => line.slice(2, -2).split(" | "));

  it("names a test for each yes of Parley, and the own page of each other project", () => {
    expect(rows.length).to.be.above(25);
    for (const [feature, own = "", ...others] of rows) {
      const [, proof] = /^\[(?:yes|part)\]\(([^)]+)\)$/.exec(own) ?? [];
      if (own !== "no") expect(proof, feature).to.match(TEST);
      if (proof !== undefined) readFileSync(join(ROOT, "docs", proof));
      expect(others, feature).to.have.length(8);
      for (const cell of others) {
        expect(cell, feature).to.match(/^(?:\?|–|\[(?:yes|part|no)\]\(https:\/\/[^)\s]+\))$/);
      }
    }
  });
});
