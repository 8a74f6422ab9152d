// User text into pieces. Goal: nothing is lost, nothing but http(s) becomes a link, nothing is slow.

import { expect } from "chai";
import * as fc from "fast-check";
import { cutText, isOnlyEmoji } from "../store/rich-text.ts";

function links(text: string): string[] {
  return cutText(text).flatMap((piece) => (piece.kind === "link" ? [piece.href] : []));
}

describe("rich text", () => {
  it("H4: http and https addresses are links, without the sentence's punctuation", () => {
    expect(links("see https://a.example/x?y=1#z, and (http://b.example).")).to.deep.equal([
      "https://a.example/x?y=1#z",
      "http://b.example",
    ]);
    expect(links("https://en.example/Fence_(computing) and [https://c.example]")).to.deep.equal([
      "https://en.example/Fence_(computing)",
      "https://c.example",
    ]);
  });

  it("H4: no other scheme, and no address that looks like another site, is a link", () => {
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

  it("H4: code is text in another face, and holds no links", () => {
    expect(cutText("run `make https://x.example` now")).to.deep.equal([
      { kind: "text", source: "run ", text: "run " },
      { kind: "code", source: "`make https://x.example`", text: "make https://x.example" },
      { kind: "text", source: " now", text: " now" },
    ]);
    expect(cutText("```ts\nlet a = 1;\n```")).to.deep.equal([
      { kind: "block", source: "```ts\nlet a = 1;\n```", text: "let a = 1;" },
    ]);
  });

  it("H4: the pieces' sources are the text, whatever it is", () => {
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

  it("H4: a hostile text of the greatest size takes no time to speak of", () => {
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

  it("H4: one to three emoji alone are large, anything else is not", () => {
    for (const text of ["🎉", "👍🏽", "👩‍👩‍👧 🎉", "🇩🇪"]) expect(isOnlyEmoji(text), text).to.equal(true);
    for (const text of ["", " ", "1", "🎉!", "🎉🎉🎉🎉", "#"])
      expect(isOnlyEmoji(text), text).to.equal(false);
  });
});
