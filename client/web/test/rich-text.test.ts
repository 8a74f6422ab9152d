// RichText: no text is lost, only http(s) becomes a link, and hostile texts cost little time.

import { expect } from "chai";
import * as fc from "fast-check";
import { cutText, isOnlyEmoji } from "../store/rich-text.ts";

function links(text: string): string[] {
  return cutText(text).flatMap((piece) => (piece.kind === "link" ? [piece.href] : []));
}

describe("rich text", () => {
  it("H4: http and https addresses become links, without the punctuation of the sentence", () => {
    expect(links("see https://a.example/x?y=1#z, and (http://b.example).")).to.deep.equal([
      "https://a.example/x?y=1#z",
      "http://b.example",
    ]);
    expect(links("https://en.example/Fence_(computing) and [https://c.example]")).to.deep.equal([
      "https://en.example/Fence_(computing)",
      "https://c.example",
    ]);
  });

  it("H4: other schemes and misleading addresses stay text", () => {
    const hostile = [
      "javascript:alert(1)",
      "JaVaScRiPt://x.example/%0Aalert(1)",
      "data:text/html,<script>alert(1)</script>",
      "vbscript:x",
      "file:///etc/passwd",
      "//evil.example",
      "https://",
      "http:///",
      "https://bank.example@evil.example/",
      "https://user:secret@evil.example/",
      "https://[::1",
    ];
    for (const text of hostile) expect(links(text), text).to.deep.equal([]);
  });

  it("H4: a link ends before quotes and angle brackets", () => {
    const text = `https://a.example/"onmouseover="alert(1) <https://b.example>`;
    expect(links(text)).to.deep.equal(["https://a.example/", "https://b.example"]);
  });

  it("H4: code stays text and contains no links", () => {
    expect(cutText("run `make https://x.example` now")).to.deep.equal([
      { kind: "text", source: "run ", text: "run " },
      { kind: "code", source: "`make https://x.example`", text: "make https://x.example" },
      { kind: "text", source: " now", text: " now" },
    ]);
    expect(cutText("```ts\nlet a = 1;\n```")).to.deep.equal([
      { kind: "block", source: "```ts\nlet a = 1;\n```", text: "let a = 1;" },
    ]);
  });

  it("H4: the joined sources of the pieces are the text, for any text", () => {
    const bits = fc.constantFrom(
      "`",
      "```",
      "\n",
      "http://",
      "https://a.example",
      "(",
      ")",
      ".",
      "@",
      "<b>",
      "é",
      " ",
    );
    const anything = fc.oneof(
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
      fc.array(bits).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const pieces = cutText(text);
        expect(pieces.map((piece) => piece.source).join("")).to.equal(text);
        for (const piece of pieces) {
          if (piece.kind === "link") expect(piece.href).to.match(/^https?:\/\/[^/]/i);
          if (piece.kind === "link") expect(piece.href).to.equal(piece.text);
        }
      }),
    );
  });

  it("H4: a hostile text of the maximum size takes a few milliseconds", () => {
    const size = 16 * 1024;
    const texts = [
      "`",
      "```",
      "`a",
      "http://",
      "https://a(",
      "https://a.example/).",
      "(",
      "\n```",
    ].map((part) => part.repeat(size / part.length));
    const started = performance.now();
    for (const text of texts) cutText(text);
    expect(performance.now() - started).to.be.below(2_000);
  });

  it("H4: one to three emoji without other text are large", () => {
    for (const text of ["🎉", "👍🏽", "👩‍👩‍👧 🎉", "🇩🇪"]) expect(isOnlyEmoji(text), text).to.equal(true);
    for (const text of ["", " ", "1", "🎉!", "🎉🎉🎉🎉", "#"])
      expect(isOnlyEmoji(text), text).to.equal(false);
  });
});
