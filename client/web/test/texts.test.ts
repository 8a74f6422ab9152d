// Texts: every language has every text, with its parameters and its forms of plural; and no text of
// the page stands outside of the catalogues.

import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { parseAst } from "vite";
import { CATALOGUES, chooseLanguage, LANGUAGES, loadLanguage } from "../texts/language.ts";
import { englishDetails } from "../texts/english-details.ts";
import { englishDialogs } from "../texts/english-dialogs.ts";
import { englishFiles } from "../texts/english-files.ts";
import { englishPreviews } from "../texts/english-previews.ts";
import { english } from "../texts/english.ts";
import type { Entry, TextKey } from "../texts/texts.ts";
import { fileWords } from "../store/words.ts";
import { addTexts, parts, setLanguage, t } from "../texts/texts.ts";

const LATER = { ...englishDetails, ...englishDialogs, ...englishFiles, ...englishPreviews };
const ALL = { ...english, ...LATER };
const KEYS = Object.keys(ALL) as TextKey[];

const parametersOf = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name ?? "").sort();
const formsOf = (entry: Entry): readonly (readonly [string, string])[] =>
  typeof entry === "string" ? [["", entry]] : Object.entries(entry);

describe("texts", () => {
  afterEach(async () => setLanguage(await loadLanguage({ code: "en", locale: "en" })));

  for (const code of LANGUAGES) {
    it(`texts.1: ${code} has each text, with its parameters and its forms of plural`, async () => {
      const whole = await CATALOGUES[code]();
      const catalogue = { ...(code === "en" && LATER), ...whole };
      expect(Object.keys(catalogue).sort()).to.deep.equal([...KEYS].sort());
      const categories = new Intl.PluralRules(code).resolvedOptions().pluralCategories;
      for (const key of KEYS) {
        const entry: Entry = catalogue[key] ?? "";
        const isPlural = typeof ALL[key] !== "string";
        expect(typeof entry !== "string", key).to.equal(isPlural);
        if (isPlural) expect(Object.keys(entry), key).to.have.members(categories);
        const wanted = formsOf(ALL[key]).at(-1)?.[1] ?? "";
        for (const [form, text] of formsOf(entry)) {
          expect(text.trim(), `${key} ${form}`).to.not.equal("");
          // A form for one or two can say its number as a word.
          const found = parametersOf(text).filter((name) => !isPlural || name !== "count");
          const named = parametersOf(wanted).filter((name) => !isPlural || name !== "count");
          expect(found, `${key} ${form}`).to.deep.equal(named);
        }
      }
    });
  }

  it("texts.1: numbers, plurals and parameters follow the language", async () => {
    expect(t("message.replies", { count: 1 })).to.equal("1 reply");
    expect(t("message.replies", { count: 1_200 })).to.equal("1,200 replies");
    setLanguage(await loadLanguage({ code: "de", locale: "de-CH" }));
    expect(t("message.replies", { count: 12_000 })).to.equal("12'000 Antworten");
    setLanguage(await loadLanguage({ code: "ar", locale: "ar-MA" }));
    expect(t("message.replies", { count: 2 })).to.equal("ردّان");
    expect(t("message.replies", { count: 3 })).to.equal("3 ردود");
    expect(t("message.replies", { count: 11 })).to.equal("11 ردًا");
  });

  it("texts.3: a name of the other direction is isolated", async () => {
    expect(t("typing.one", { name: "Ada" })).to.equal("Ada is typing");
    expect(t("typing.one", { name: "مريم" })).to.equal("\u2068مريم\u2069 is typing");
    setLanguage(await loadLanguage({ code: "ar", locale: "ar" }));
    expect(t("typing.one", { name: "Ada" })).to.equal("\u2068Ada\u2069 يكتب");
    expect(t("message.number", { number: "#12" })).to.equal("الرقم #12");
  });

  it("U4: the names of files stand for a text in each language", async () => {
    const names = ["plan.pdf", "a.png"];
    expect(fileWords(names.slice(1))).to.equal("File: a.png");
    expect(fileWords([])).to.equal("(a message without text)");
    setLanguage(await loadLanguage({ code: "de", locale: "de" }));
    expect(fileWords(names)).to.equal("Dateien: plan.pdf und a.png");
    setLanguage(await loadLanguage({ code: "ar", locale: "ar" }));
    const plain = fileWords(names).replaceAll(/[\u2068\u2069]/gu, "");
    expect(plain).to.equal("ملفان: plan.pdf وa.png");
  });

  it("texts.5: the texts of a later view are added, and a translation stays", async () => {
    addTexts(englishDialogs);
    addTexts(englishFiles);
    expect(t("leave.title", { room: "tea" })).to.equal("Leave tea?");
    expect(t("files.open", { name: "a.png" })).to.equal("Open a.png");
    setLanguage(await loadLanguage({ code: "de", locale: "de" }));
    addTexts(englishDialogs);
    expect(t("leave.title", { room: "tea" })).to.equal("tea verlassen?");
  });

  it("texts.1: a parameter can be an element", () => {
    const room = { type: "span" };
    expect(parts("room.beginTitle", { room })).to.deep.equal(["The beginning of ", room, ""]);
  });

  it("texts.2: the choice of the user is before the browser's, which keeps its region", () => {
    const storage = (kept: string | null): Parameters<typeof chooseLanguage>[0] => ({
      getItem: () => kept,
      setItem: () => undefined,
      removeItem: () => undefined,
    });
    const choose = (kept: string | null, ...wanted: string[]): unknown =>
      Object.values(chooseLanguage(storage(kept), wanted));
    expect(choose(null, "fr-FR", "de-CH", "en")).to.deep.equal(["de", "de-CH"]);
    expect(choose(null, "fr")).to.deep.equal(["en", "en"]);
    expect(choose("ar", "de", "ar-EG")).to.deep.equal(["ar", "ar-EG"]);
    expect(choose("xx", "den-US", "en-GB")).to.deep.equal(["en", "en-GB"]);
  });
});

const READ_ATTRIBUTES = /^(?:aria-label|aria-description|title|placeholder|alt|label|verb|name)$/u;
const LETTER = /\p{L}/u;
const SENTENCE = /\p{L}\p{Ll}*[.,!?]? \p{L}/u;
/** The name of the product, and a key cap of one system. */
const NO_TEXTS = new Set(["Parley", "⌘K"]);

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The literals of a source that a reader would see (texts.4). */
function literalTexts(source: string): string[] {
  const found: string[] = [];
  const note = (text: unknown, isText: boolean): void => {
    if (typeof text !== "string" || NO_TEXTS.has(text.trim())) return;
    if (isText ? LETTER.test(text) : SENTENCE.test(text)) found.push(text.trim());
  };
  const walk = (node: unknown, isText: boolean): void => {
    if (Array.isArray(node)) for (const one of node) walk(one, isText);
    if (!isNode(node)) return;
    if (node.type === "JSXText") return note(node["value"], true);
    if (node.type === "Literal") return note(node["value"], isText);
    if (node.type === "TemplateElement") {
      return note((node["value"] as { readonly cooked: unknown }).cooked, isText);
    }
    if (node.type === "ImportDeclaration") return;
    if (node.type === "JSXOpeningElement" && (node["name"] as Node)["name"] === "Icon") return;
    if (node.type === "JSXAttribute") {
      const name = String((node["name"] as Node)["name"]);
      if (name === "class" || name === "rel") return;
      return walk(node["value"], READ_ATTRIBUTES.test(name) && isNode(node["value"]));
    }
    if (node.type === "JSXElement" || node.type === "JSXFragment") {
      walk(node["openingElement"], false);
      for (const child of node["children"] as Node[]) {
        walk(child, child.type === "JSXExpressionContainer");
      }
      return;
    }
    // What is called, compared or looked up in an expression is no text.
    if (node.type === "ConditionalExpression") {
      walk(node["test"], false);
      walk(node["consequent"], isText);
      return walk(node["alternate"], isText);
    }
    if (node.type === "LogicalExpression") {
      walk(node["left"], false);
      return walk(node["right"], isText);
    }
    const passes = node.type === "JSXExpressionContainer" || node.type === "TemplateLiteral";
    for (const [field, value] of Object.entries(node)) {
      if (field !== "typeAnnotation") walk(value, isText && passes);
    }
  };
  walk(parseAst(source, { lang: "tsx" }), false);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

describe("texts outside of the catalogues", () => {
  for (const folder of ["ui", "store"]) {
    it(`texts.4: no file of ${folder} has one`, () => {
      const found = readdirSync(new URL(`../${folder}/`, import.meta.url))
        .filter((name) => /\.tsx?$/u.test(name))
        .flatMap((name) =>
          literalTexts(readFileSync(new URL(`../${folder}/${name}`, import.meta.url), "utf8")).map(
            (text) => `${folder}/${name}: ${text}`,
          ),
        );
      expect(found).to.deep.equal([]);
    });
  }

  for (const [source, text] of [
    ["const x = <p>Hello</p>;", "Hello"],
    ["const x = <p title='Close'>{t('a.b')}</p>;", "Close"],
    ["const x = <p>{is ? 'yes' : t('a.b')}</p>;", "yes"],
    ["const x = <p aria-label={`Leave ${room}`} />;", "Leave"],
    ["const x = 'You are signed out.';", "You are signed out."],
    ["const x = <p>{count} unread</p>;", "unread"],
    ["const x = <p>{is && <b>{`draft ${n}`}</b>}</p>;", "draft"],
  ] as const) {
    it(`texts.4: finds ${text} in ${source}`, () => {
      expect(literalTexts(source)).to.deep.equal([text]);
    });
  }

  it("texts.4: accepts names, classes, keys of texts and keys of a keyboard", () => {
    const source = `const x = (
      <p class={is ? "room room-active" : "room"} role="status" title={t("a.b")} onClick={f}>
        {kind === "open" && <i id="a" />} {t(is ? "a.b" : "a.c", { name: "Ada" })} #{n}
      </p>
    );
    if (event.key === "ArrowDown") root.dataset["scrolling"] = "";`;
    expect(literalTexts(source)).to.deep.equal([]);
  });
});
