// The web client's side of link previews without a browser: the choice, the questions, the link.

import { expect } from "chai";
import type { PreviewAnswer } from "#shared/protocol/link-previews.ts";
import { linkUrlSchema } from "#shared/protocol/link-previews.ts";
import { firstLink } from "../store/previews/first-link.ts";
import { PreviewBook } from "../store/previews/preview-book.ts";
import { PreviewChoice } from "../store/previews/preview-choice.ts";

const TEA: PreviewAnswer = { kind: "preview", preview: { title: "Tea" } };
const FOREVER = new AbortController().signal;

function memory() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

describe("PreviewChoice", () => {
  it("LP1: previews are off until a user switches them on, for this user alone", () => {
    const storage = memory();
    const choice = new PreviewChoice(storage, '{"on":true}');
    let changes = 0;
    const stop = choice.subscribe(() => changes++);
    expect([choice.isOffered, choice.isOn("ada")]).to.deep.equal([true, false]);
    choice.set("ada", true);
    expect([choice.isOn("ada"), choice.isOn("ben"), changes]).to.deep.equal([true, false, 1]);
    expect(new PreviewChoice(storage, '{"on":true}').isOn("ada"), "kept").to.equal(true);
    stop();
    choice.set("ada", false);
    expect([choice.isOn("ada"), changes]).to.deep.equal([false, 1]);
  });

  it("LP1: without the setting of the operator there is no choice, also where it was made before", () => {
    const storage = memory();
    new PreviewChoice(storage, '{"on":true}').set("ada", true);
    for (const content of ["{}", undefined, "", '{"on":"true"}', "broken"]) {
      const choice = new PreviewChoice(storage, content);
      expect([choice.isOffered, choice.isOn("ada")], content).to.deep.equal([false, false]);
    }
  });
});

describe("PreviewBook", () => {
  it("LP9: a URL is asked for once, and at most three at a time, in order", async () => {
    const book = new PreviewBook();
    const asked: string[] = [];
    const answers: ((answer: PreviewAnswer) => void)[] = [];
    const ask = (url: string): Promise<PreviewAnswer> => {
      asked.push(url);
      return new Promise((resolve) => answers.push(resolve));
    };
    const all = ["a", "b", "a", "c", "d", "e"].map((url) => book.preview(url, ask, FOREVER));
    await new Promise(setImmediate);
    expect(asked).to.deep.equal(["a", "b", "c"]);
    answers[1]?.(TEA);
    expect(await all[1]).to.deep.equal({ title: "Tea" });
    await new Promise(setImmediate);
    expect(asked).to.deep.equal(["a", "b", "c", "d"]);
    for (let n = 0; n < 5; n++) {
      answers[n]?.(TEA);
      await new Promise(setImmediate);
    }
    expect(await Promise.all(all)).to.deep.equal(Array.from({ length: 6 }, () => TEA.preview));
    expect(asked).to.deep.equal(["a", "b", "c", "d", "e"]);
  });

  it("LP9: what has gone is not asked for; a failure is no preview, and is asked again", async () => {
    const book = new PreviewBook();
    let asked = 0;
    const gone = new AbortController();
    const fail = (): Promise<PreviewAnswer> => {
      asked++;
      return Promise.reject(new Error("rate_limited"));
    };
    const of = book.preview("a", fail, gone.signal);
    gone.abort();
    expect(await of).to.equal(undefined);
    expect(asked).to.equal(0);
    for (let n = 0; n < 5; n++) expect(await book.preview("a", fail, FOREVER)).to.equal(undefined);
    expect(asked).to.equal(5);
    const busy = async (): Promise<PreviewAnswer> => ({ kind: "none", reason: "unavailable" });
    expect(await book.preview("a", busy, FOREVER)).to.equal(undefined);
    expect(await book.preview("a", async () => TEA, FOREVER)).to.deep.equal(TEA.preview);
  });

  it("LP9: a URL of two messages is asked for while one of them is shown", async () => {
    const book = new PreviewBook();
    const gone = new AbortController();
    const ask = async (): Promise<PreviewAnswer> => TEA;
    const both = [gone.signal, FOREVER].map((signal) => book.preview("a", ask, signal));
    gone.abort();
    expect(await Promise.all(both)).to.deep.equal([TEA.preview, TEA.preview]);
  });

  it("LP9: that there is none is kept, and after `off` nothing more is asked", async () => {
    const book = new PreviewBook();
    let asked = 0;
    const answer = (reason: "nothing" | "off") => (): Promise<PreviewAnswer> => {
      asked++;
      return Promise.resolve({ kind: "none", reason });
    };
    for (let n = 0; n < 3; n++) await book.preview("a", answer("nothing"), FOREVER);
    expect(asked).to.equal(1);
    for (const url of ["b", "b", "c"]) await book.preview(url, answer("off"), FOREVER);
    expect(asked).to.equal(2);
  });
});

describe("FirstLink", () => {
  for (const [text, href] of [
    ["see https://tea.example/green and https://more.example/", "https://tea.example/green"],
    ["- a\n- *b [tea](http://tea.example/x#leaves)*", "http://tea.example/x"],
    ["> https://Tée.example/ä?q=ö#top", "https://xn--te-bja.example/%C3%A4?q=%C3%B6"],
    ["https://tea.example", "https://tea.example/"],
    ["`https://tea.example/`", undefined],
    ["```\nhttps://tea.example/\n```", undefined],
    ["https://ada:secret@tea.example/", undefined],
    ["ftp://tea.example/ javascript://tea.example/", undefined],
    [`https://tea.example/${"a".repeat(2_100)} https://b.example/`, undefined],
    ["tea", undefined],
  ] as const) {
    it(`LP9: ${text.slice(0, 60).replaceAll("\n", " ")}`, () => {
      const found = firstLink(text)?.href;
      expect(found).to.equal(href);
      if (found !== undefined) expect(linkUrlSchema.safeParse(found).success).to.equal(true);
    });
  }
});
