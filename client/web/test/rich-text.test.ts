// RichText and RichLine: no text is lost, only http(s) becomes a link, and hostile texts cost
// little time.

import { expect } from "chai";
import * as fc from "fast-check";
import { unreachable } from "#shared/kit/assert.ts";
import { plainParts, plainText } from "../store/plain-text.ts";
import { cutText, flatText, isBlank, isOnlyEmoji } from "../store/rich-text.ts";
import type { Block } from "../store/rich-text.ts";
import type { Span } from "../store/rich-line.ts";

/** Blocks and spans as short text: `b(…)` bold, `i(…)` italic, `s(…)` struck, `c(…)` code. */
function draw(text: string): string[] {
  return cutText(text).map(drawBlock);
}

function drawBlock(block: Block): string {
  if (block.kind === "code") return `code: ${block.text}`;
  if (block.kind === "list") {
    return `${block.start ?? "•"}: ${block.items.map(drawSpans).join(" / ")}`;
  }
  return block.kind === "quote" ? `quote: ${drawSpans(block.spans)}` : drawSpans(block.spans);
}

function drawSpans(spans: readonly Span[]): string {
  return spans.map(drawSpan).join("");
}

const LETTERS = { strong: "b", emphasis: "i", struck: "s" } as const;

function drawSpan(span: Span): string {
  switch (span.kind) {
    case "text":
      return span.text;
    case "code":
      return `c(${span.text})`;
    case "link":
      return `<${span.text}>`;
    case "strong":
    case "emphasis":
    case "struck":
      return `${LETTERS[span.kind]}(${drawSpans(span.spans)})`;
  }
  return unreachable(span);
}

function spansOf(text: string): readonly Span[] {
  return cutText(text).flatMap((block) => {
    if (block.kind === "code") return [];
    return block.kind === "list" ? block.items.flat() : block.spans;
  });
}

function links(text: string): string[] {
  return spansOf(text).flatMap((span) => (span.kind === "link" ? [span.href] : []));
}

/** Everything that the page shows of the text. */
function shown(text: string): string {
  const of = (span: Span): string => ("text" in span ? span.text : span.spans.map(of).join(""));
  return cutText(text)
    .map((block) => {
      if (block.kind === "code") return block.text;
      const spans = block.kind === "list" ? block.items.flat() : block.spans;
      return spans.map(of).join("");
    })
    .join("");
}

function depth(span: Span): number {
  return "text" in span ? 0 : 1 + Math.max(0, ...span.spans.map(depth));
}

describe("rich text", () => {
  it("H4: bold, italic, struck text and code lose their markers", () => {
    expect(draw("a **b** *c* _e_ ~~f~~ `g`")).to.deep.equal(["a b(b) i(c) i(e) s(f) c(g)"]);
    expect(draw("**a *b* c**")).to.deep.equal(["b(a i(b) c)"]);
    expect(draw("`**not bold**`")).to.deep.equal(["c(**not bold**)"]);
  });

  it("H4: a marker without its partner, inside of a word or between spaces stays", () => {
    for (const text of [
      "2*3*4",
      "snake_case_name",
      "a ** b ** c",
      "**open",
      "__init__.py",
      "* ",
      "****",
      "5 * 3 = 15 * 1",
      "~~",
    ]) {
      expect(draw(text).join(""), text).to.equal(text.trimEnd());
    }
    expect(draw("**a *b** c*")).to.deep.equal(["b(a *b) c*"]);
  });

  it("H4: quotes and lists are blocks", () => {
    expect(draw("> one\n> two\nanswer")).to.deep.equal(["quote: one\ntwo", "answer"]);
    expect(draw("- one\n- **two**\n\nend")).to.deep.equal(["•: one / b(two)", "end"]);
    expect(draw("3. one\n4) two")).to.deep.equal(["3: one / two"]);
    expect(draw("first line\nsecond line")).to.deep.equal(["first line\nsecond line"]);
    expect(draw("-5 degrees\n1.5 metres")).to.deep.equal(["-5 degrees\n1.5 metres"]);
  });

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

  it("H4: a link with a label names the host that it opens", () => {
    const [link] = spansOf("[https://bank.example](https://evil.example/x)");
    expect(link).to.deep.equal({
      kind: "link",
      text: "https://bank.example",
      href: "https://evil.example/x",
      host: "evil.example",
    });
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
      "[x](javascript:alert(1))",
      "[x](data:text/html,x)",
      "[x](//evil.example)",
      "[x](https://bank.example@evil.example/)",
    ];
    for (const text of hostile) expect(links(text), text).to.deep.equal([]);
  });

  it("H4: a link ends before quotes and angle brackets", () => {
    const text = `https://a.example/"onmouseover="alert(1) <https://b.example>`;
    expect(links(text)).to.deep.equal(["https://a.example/", "https://b.example"]);
  });

  it("H4: code stays text and contains no links", () => {
    expect(draw("run `make https://x.example` now")).to.deep.equal([
      "run c(make https://x.example) now",
    ]);
    expect(draw("```ts\nlet a = 1;\n```")).to.deep.equal(["code: let a = 1;"]);
    expect(draw("so:\n```\n> a\n```\nend")).to.deep.equal(["so:", "code: > a", "end"]);
  });

  it("H4: only markers, spaces and labels' addresses are not shown, for any text", () => {
    const bits = fc.constantFrom(
      ..."`|```|\n|http://|https://a.example|(|)|[|]|](https://b.example)|.|@|<b>|é| |*|**|_|__|~~".split(
        "|",
      ),
      ..."> |- |1. |x|word".split("|"),
    );
    const anything = fc.oneof(
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
      fc.array(bits).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(anything, (text) => {
        let at = 0;
        const all = shown(text);
        const lost: string[] = [];
        for (const unit of text.split("")) {
          if (unit === all.charAt(at)) at += 1;
          else lost.push(unit);
        }
        expect(at, "the shown text is a part of the text").to.equal(all.length);
        // The address of a label is longer than a marker; everything else is markup.
        const rest = lost.join("").replaceAll(/\(https:\/\/b\.example\)|https?:\/\/\S*/gu, "");
        if (!text.includes("](")) {
          expect(rest).to.match(/^(?:[\s`*_~>\-•.)\d]|[a-z0-9+-]{1,16}(?=\n|$))*$/iu);
        }
        for (const href of links(text)) expect(href).to.match(/^https?:\/\/[^/]/i);
        expect(Math.max(0, ...spansOf(text).map(depth))).to.be.at.most(4);
      }),
    );
  });

  it("plain-text.1: the plain text is what the page shows", () => {
    expect(plainText("**a** `b`\n\n> c\n- d\n- e\n3. f\n4. g\n```ts\nh\n```")).to.equal(
      "a b\nc\n• d\n• e\n3. f\n4. g\nh",
    );
    expect(plainText("[docs](https://parley.example/docs) *")).to.equal("docs (parley.example) *");
  });

  it("H4: one line has the words of all blocks, and no marker", () => {
    const text = "**a *b* c** `d`\n\n> e\n- f\n- _g_\n```ts\nh\n```[i](https://a.example/)";
    expect(flatText(text)).to.equal("a b c d e f g h i");
    expect(flatText(" 2*3 \n * ")).to.equal("2*3 *");
  });

  it("plain-text.2: each word of any text has the place at which it stands", () => {
    const words = fc.constantFrom("tea", "1", "a", "ts", "ab");
    const marks = fc.constantFrom(
      ..."*|**|_|~~|`|```|```ts\n|\n|\n> |\n- |\n1. |\n12. | |[a](https://a.example/) |. ".split(
        "|",
      ),
    );
    const anything = fc.array(fc.oneof(words, marks), { maxLength: 30 });
    fc.assert(
      fc.property(anything, (pieces) => {
        const source = pieces.join("");
        const parts = plainParts(source);
        let end = 0;
        for (const { text, from } of parts) {
          if (from === undefined) continue;
          expect(source.slice(from, from + text.length)).to.equal(text);
          expect(from).to.be.at.least(end);
          end = from + text.length;
        }
        // Only what stands for markup has no place.
        const added = parts.filter(({ from }) => from === undefined).map(({ text }) => text);
        expect(added.join("")).to.match(/^(?:[\n•()]|\d+\.| )*$/u);
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
      "*",
      "**a",
      "*a_b",
      "_*",
      "[",
      "[a](",
      "[a](https://",
      "> ",
      "- a\n",
      "1. \n",
      "~~a **b *c _d ",
      " ",
      "\n",
    ].map((part) => part.repeat(size / part.length));
    for (const text of texts) {
      const started = process.cpuUsage().user;
      cutText(text);
      isBlank(text);
      plainText(text);
      expect(process.cpuUsage().user - started, text.slice(0, 20)).to.be.below(500_000);
    }
  });

  it("H4: one to three emoji without other text are large", () => {
    for (const text of ["🎉", "👍🏽", "👩‍👩‍👧 🎉", "🇩🇪"]) expect(isOnlyEmoji(text), text).to.equal(true);
    for (const text of ["", " ", "1", "🎉!", "🎉🎉🎉🎉", "#"])
      expect(isOnlyEmoji(text), text).to.equal(false);
  });

  it("H4: a text without a visible character is blank", () => {
    for (const text of ["", " \n\t", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u00ad"])
      expect(isBlank(text), JSON.stringify(text)).to.equal(true);
    for (const text of ["a", ".", "👍", "\u0301"]) expect(isBlank(text), text).to.equal(false);
  });
});
