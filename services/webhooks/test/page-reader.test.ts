// The page reader: what a page says of itself, from any bytes.

import { expect } from "chai";
import * as fc from "fast-check";
import {
  PREVIEW_DESCRIPTION_LENGTH_MAX,
  PREVIEW_SITE_LENGTH_MAX,
  PREVIEW_TITLE_LENGTH_MAX,
} from "#shared/protocol/limits.ts";
import { readPage } from "../adapters/page-reader.ts";
import { PAGE_BYTES_MAX, PAGE_TEXT_LENGTH_MAX } from "../core/bounds.ts";

const read = (html: string, charset?: string) => readPage(Buffer.from(html), charset);
const titleOf = (html: string, charset?: string) => read(html, charset)?.title;

describe("Link previews: what a page says", () => {
  it("LP6: the title, the description and the site, of Open Graph before those of HTML", () => {
    const plain = `<!doctype html><html><head><title> Green
      tea &amp; more </title><meta name=description content="How to &quot;brew&quot;"></head>`;
    expect(read(plain)).to.deep.equal({ title: "Green tea & more", description: 'How to "brew"' });
    const graph =
      `<TITLE>no</TITLE><meta content='Tea' property='og:title'/><META PROPERTY="og:description" ` +
      `CONTENT="Leaves"><meta property=og:site_name content=Tea&nbsp;House>` +
      `<meta property="og:title" content="second"><meta name=description content="no">`;
    expect(read(graph)).to.deep.equal({ title: "Tea", description: "Leaves", site: "Tea House" });
    expect(titleOf(`<meta name="twitter:title" content="Tea"><title>no</title>`)).to.equal("Tea");
  });

  it("LP6: a page without a title has no preview; scripts, comments and the body are no source", () => {
    const without = [
      "",
      "Tea",
      "<title></title>",
      "<title> \n\u200e </title>",
      "<body><title>Tea</title>",
      "<!-- <title>Tea</title> -->",
      `<script>"<title>Tea</title>"</script>`,
      `<style><title>Tea</title></style>`,
      `<meta name=description content="Leaves">`,
      "</head><title>Tea</title>",
      "<svg><title>Tea",
    ];
    for (const html of without) expect(read(html), html).to.equal(undefined);
    expect(titleOf("<title>Tea")).to.equal("Tea"); // Cut by the bound of bytes.
    expect(titleOf("<svg><title>icon</title></svg><title>Tea</title>")).to.equal("Tea");
  });

  it("LP6: the encoding of the header, else of the page, else UTF-8", () => {
    const latin = Buffer.from("<meta charset=iso-8859-1><title>Th\u00e9</title>", "latin1");
    expect(readPage(latin, undefined)?.title).to.equal("Th\u00e9");
    expect(readPage(Buffer.from("<title>Th\u00e9</title>", "latin1"), "Latin1")?.title).to.equal(
      "Th\u00e9",
    );
    expect(titleOf("<meta charset=unknown-1><title>Th\u00e9</title>")).to.equal("Th\u00e9");
    expect(titleOf("\ufeff<title>Th\u00e9</title>", "iso-8859-1")).to.equal("Th\u00e9");
    const jis = Buffer.from([0x3c, 0x74, 0x69, 0x74, 0x6c, 0x65, 0x3e, 0x82, 0xa8]);
    expect(readPage(jis, "Shift_JIS")?.title).to.equal("\u304a");
    expect(
      readPage(Buffer.from([0x3c, 0x74, 0x69, 0x74, 0x6c, 0x65, 0x3e, 0xff]), "utf-8")?.title,
    ).to.equal("\ufffd");
  });

  it("LP6: no control character and no bidirectional one is left of entities", () => {
    expect(titleOf("<title>a&#x202e;b&#8294;c&#0;d&#10;e</title>")).to.equal("abc\ufffdd e");
  });

  it("page-reader.2: of one text no more than its bound is read, in one piece or in many", () => {
    for (const space of [" ", "&#32;"]) {
      const spaces = space.repeat(PAGE_TEXT_LENGTH_MAX);
      expect(titleOf(`<title>${spaces}Tea</title>`)).to.equal(undefined);
      expect(titleOf(`<meta property="og:title" content="${spaces}Tea">`)).to.equal(undefined);
    }
  });

  it("LP6: of any bytes the texts keep their bounds, and nothing throws", () => {
    const part = fc.constantFrom(
      "<title>",
      "</title>",
      "<meta ",
      "property=",
      '"og:title"',
      " content=",
      "'",
      '"',
      ">",
      "&#",
      "&amp",
      "\u202e",
      "\u0000",
      "<svg>",
      "</svg>",
      "<script>",
      "<!--",
      "-->",
      "🇩🇪",
      "a\u0301",
    );
    const html = fc.array(fc.oneof(part, fc.string({ unit: "binary" })), { maxLength: 40 });
    fc.assert(
      fc.property(html, fc.option(fc.string()), (parts, charset) => {
        const page = read(parts.join(""), charset ?? undefined);
        if (page === undefined) return;
        const { title, description = "", site = "" } = page;
        expect(title).to.have.length.within(1, PREVIEW_TITLE_LENGTH_MAX);
        expect(description.length).to.be.at.most(PREVIEW_DESCRIPTION_LENGTH_MAX);
        expect(site.length).to.be.at.most(PREVIEW_SITE_LENGTH_MAX);
        for (const text of [title, description, site]) {
          expect(text.isWellFormed()).to.equal(true);
          expect(text).to.not.match(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });

  for (const [name, piece] of [
    ["open tags", "<a>"],
    ["closing tags", "</b>"],
    ["attributes", " a1=b"],
    ["attributes of a meta", "<meta a"],
    ["entities", "&#x41;"],
    ["titles", "<title>a</title>"],
    ["openings of a comment", "<!--"],
    ["nested pictures", "<svg>"],
  ] as const) {
    it(`LP6: the steps of a page of ${name} are linear in its size`, () => {
      const page = (bytes: number) => `<meta ${piece.repeat(bytes / piece.length)}`;
      const [small, large] = [page(PAGE_BYTES_MAX / 8), page(PAGE_BYTES_MAX)];
      const timeOf = (html: string): number => {
        const begin = process.cpuUsage();
        read(html);
        const { user, system } = process.cpuUsage(begin);
        return (user + system) / 1_000;
      };
      read(large); // Compiled from here on.
      const smalls = Math.min(...[1, 2, 3].map(() => timeOf(small)));
      const larges = Math.min(...[1, 2, 3].map(() => timeOf(large)));
      // Eight times the size: 64 times the cost would be quadratic.
      expect(larges).to.be.below(24 * smalls + 30);
    });
  }
});
