// Search words: how texts and queries are cut, and what an excerpt shows.

import { expect } from "chai";
import * as fc from "fast-check";
import { EXCERPT_LENGTH_MAX, excerptOf, HIGHLIGHTS_MAX } from "../search-excerpt.ts";
import { matches, QUERY_TERMS_MAX, termsOf, TEXT_WORDS_MAX, wordsOf } from "../search-words.ts";

const formsOf = (text: string): string[] => wordsOf(text).map(({ word }) => word);

describe("Search words", () => {
  it("search-words.1: words are runs of letters, marks and digits, in lower case, with their places", () => {
    expect(formsOf("Don't: e-mail ada@example.org, ½ ﬁsh_2!")).to.deep.equal([
      "don",
      "t",
      "e",
      "mail",
      "ada",
      "example",
      "org",
      "12",
      "fish",
      "2",
    ]);
    for (const { word, start, end } of wordsOf("ÄPFEL und Öl")) {
      expect("ÄPFEL und Öl".slice(start, end).toLowerCase()).to.equal(word);
    }
  });

  it("search-words.1: a text of ASCII has the words that it has in a text with other signs", () => {
    const long = fc.stringMatching(/^[A-Z0-9]{60,70}$/);
    const ascii = fc
      .array(fc.oneof(fc.string({ unit: "binary-ascii" }), long))
      .map((parts) => parts.join(" "));
    fc.assert(
      fc.property(ascii, fc.nat(20), (text, most) => {
        const mixed = wordsOf(`${text} €`, most); // A sign that is part of no word.
        expect(wordsOf(text, most)).to.deep.equal(mixed);
        // The form of a word does not depend on a letter of another script beside it.
        const among = wordsOf(text.replaceAll(/[A-Za-z0-9]+/g, "$&é"), most);
        expect(among.map(({ word }) => word)).to.deep.equal(
          mixed.map(({ word }) => (word.length === 64 ? word : `${word}é`)),
        );
      }),
    );
  });

  it("search-words.2: scripts without spaces are pairs of characters and the last one alone", () => {
    expect(formsOf("喝绿茶 ok茶")).to.deep.equal(["喝绿", "绿茶", "茶", "ok", "茶"]);
    expect(formsOf("𠮷野家")).to.deep.equal(["𠮷野", "野家", "家"]);
    const [term] = termsOf("喝绿茶");
    expect(term?.words.map(({ word, isBegin, gap }) => [word, isBegin, gap])).to.deep.equal([
      ["喝绿", false, 0],
      ["绿茶", false, 1],
    ]);
    expect(termsOf("茶")[0]?.words).to.deep.equal([{ word: "茶", isBegin: true, gap: 0 }]);
    // The place of the last character stays free.
    const [mixed] = termsOf('"绿茶 ok"');
    expect(mixed?.words.map(({ gap }) => gap)).to.deep.equal([0, 2]);
    expect(matches(termsOf('"绿茶 ok"'), wordsOf("绿茶 ok"))).to.equal(true);
  });

  it("search-words.3: every part of a text without quotes finds the text", () => {
    const text = fc.stringMatching(/^[ a-zÄß0-9茶绿喝ー한글.,*'!-]{0,40}$/u);
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (whole, from, length) => {
        const words = wordsOf(whole);
        const first = words[from % Math.max(1, words.length)];
        if (first === undefined) return;
        const last = words[(from + (length % 5)) % words.length];
        const part = whole.slice(first.start, Math.max(first.end, last?.end ?? 0));
        const terms = termsOf(`"${part}"`);
        expect(matches(terms, words), part).to.equal(true);
        expect(
          matches(
            terms.map((term) => ({ ...term, isExcluded: true })),
            words,
          ),
        ).to.equal(terms.length === 0);
      }),
    );
  });

  it("search-words.4: words and terms beyond the bounds do not count, and a long word is cut", () => {
    expect(wordsOf("a ".repeat(TEXT_WORDS_MAX + 5))).to.have.length(TEXT_WORDS_MAX);
    expect(termsOf("a ".repeat(50))).to.have.length(QUERY_TERMS_MAX);
    const long = "x".repeat(300);
    expect(formsOf(long)).to.deep.equal(["x".repeat(64)]);
    expect(matches(termsOf(long), wordsOf(long))).to.equal(true);
  });

  it("search-excerpt.1, search-excerpt.2: an excerpt has the found words as ranges, and cuts no character", () => {
    const text = `${"😀".repeat(200)} green tea, green ${"😀".repeat(200)}`;
    const { text: part, highlights, cut } = excerptOf(text, wordsOf(text), (w) => w === "green");
    expect(cut).to.equal(true);
    expect(part.length).to.be.at.most(EXCERPT_LENGTH_MAX);
    expect(part.isWellFormed()).to.equal(true);
    expect(highlights.map(([from, to]) => part.slice(from, to))).to.deep.equal(["green", "green"]);
    const many = "tea ".repeat(50);
    const whole = excerptOf(many, wordsOf(many), () => true);
    expect(whole.highlights).to.have.length(HIGHLIGHTS_MAX);
    expect(excerptOf("tea", [], () => true)).to.deep.equal({ text: "tea", highlights: [] });
  });
});
