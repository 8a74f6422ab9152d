// PageReader: reads what a page says of itself in its head: the title, a description, the name of
// the site.
//
// Owns: which elements count, the encoding. Does not own: how their texts are cut
// (preview-text.ts), the grammar of HTML (the tokenizer of htmlparser2).
//
//   page-reader.1. The steps are linear in the size of the page, for every page. So it uses the
//        tokenizer, which keeps no tree, no stack of open elements and no list of attributes.
//   page-reader.2. Of each text at most PAGE_TEXT_LENGTH_MAX characters are kept.
//   page-reader.3. Of several elements of one name the first one counts. Reading ends with the
//        head.

import { Tokenizer } from "htmlparser2";
import type { TokenizerCallbacks } from "htmlparser2";
import type { LinkPreview } from "#shared/protocol/link-previews.ts";
import {
  PREVIEW_DESCRIPTION_LENGTH_MAX,
  PREVIEW_SITE_LENGTH_MAX,
  PREVIEW_TITLE_LENGTH_MAX,
} from "#shared/protocol/limits.ts";
import { PAGE_TEXT_LENGTH_MAX } from "../core/bounds.ts";
import { cutText } from "../core/preview-text.ts";

/** The names of each text, the best one first. `title` is also the element. */
const NAMES = {
  title: ["og:title", "twitter:title", "title"],
  description: ["og:description", "twitter:description", "description"],
  site: ["og:site_name"],
} as const;

/** Undefined for a page without a title. `charset`: of the header. */
export function readPage(bytes: Uint8Array, charset: string | undefined): LinkPreview | undefined {
  const texts = new Head(decode(bytes, charset)).read();
  const first = (names: readonly string[], lengthMax: number): string | undefined => {
    const cut = names.map((name) => cutText(texts.get(name) ?? "", lengthMax));
    return cut.find((text) => text !== "");
  };
  const title = first(NAMES.title, PREVIEW_TITLE_LENGTH_MAX);
  if (title === undefined) return undefined;
  const description = first(NAMES.description, PREVIEW_DESCRIPTION_LENGTH_MAX);
  const site = first(NAMES.site, PREVIEW_SITE_LENGTH_MAX);
  return {
    title,
    ...(description !== undefined && { description }),
    ...(site !== undefined && { site }),
  };
}

const WANTED: ReadonlySet<string> = new Set(Object.values(NAMES).flat());

/** Reads the head of one page. */
class Head implements TokenizerCallbacks {
  readonly #html: string;
  readonly #tokenizer = new Tokenizer({}, this);
  readonly #texts = new Map<string, string>();
  #tag = "";
  #attribute = "";
  #value = "";
  /** Of the `meta` that is open. */
  #name = "";
  #content = "";
  /** The title that is open. */
  #title: string | undefined;
  /** How many pictures are open: their titles are not that of the page. */
  #pictures = 0;

  constructor(html: string) {
    this.#html = html;
  }

  read(): ReadonlyMap<string, string> {
    this.#tokenizer.write(this.#html);
    this.#tokenizer.end();
    this.#endTitle(); // The page was cut within it.
    return this.#texts;
  }

  onopentagname(start: number, end: number): void {
    this.#tag = this.#slice(start, end).toLowerCase();
    this.#name = "";
    this.#content = "";
    if (this.#tag === "body") this.#tokenizer.pause(); // page-reader.3
  }

  onattribname(start: number, end: number): void {
    this.#attribute = this.#tag === "meta" ? this.#slice(start, end).toLowerCase() : "";
    this.#value = "";
  }

  onattribdata(start: number, end: number): void {
    if (this.#attribute !== "") this.#value = added(this.#value, this.#slice(start, end));
  }

  onattribentity(codepoint: number): void {
    if (this.#attribute !== "") this.#value = added(this.#value, String.fromCodePoint(codepoint));
  }

  onattribend(): void {
    if (this.#attribute === "content") this.#content ||= this.#value;
    if (this.#attribute === "property" || this.#attribute === "name") {
      this.#name ||= this.#value.trim().toLowerCase();
    }
  }

  onopentagend(): void {
    if (this.#tag === "svg") this.#pictures++;
    if (this.#tag === "title" && this.#pictures === 0) this.#title ??= "";
    if (this.#tag === "meta" && WANTED.has(this.#name) && this.#name !== "title") {
      this.#keep(this.#name, this.#content);
    }
  }

  onselfclosingtag(): void {
    if (this.#tag !== "svg" && this.#tag !== "title") this.onopentagend();
  }

  onclosetag(start: number, end: number): void {
    const tag = this.#slice(start, end).toLowerCase();
    if (tag === "title") this.#endTitle();
    if (tag === "svg") this.#pictures = Math.max(0, this.#pictures - 1);
    if (tag === "head") this.#tokenizer.pause(); // page-reader.3
  }

  ontext(start: number, end: number): void {
    if (this.#title !== undefined) this.#title = added(this.#title, this.#slice(start, end));
  }

  ontextentity(codepoint: number): void {
    if (this.#title !== undefined)
      this.#title = added(this.#title, String.fromCodePoint(codepoint));
  }

  oncdata(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onend(): void {}
  onprocessinginstruction(): void {}

  #endTitle(): void {
    if (this.#title !== undefined) this.#keep("title", this.#title);
    this.#title = undefined;
  }

  #keep(name: string, text: string): void {
    if (!this.#texts.has(name)) this.#texts.set(name, text);
  }

  #slice(start: number, end: number): string {
    return this.#html.slice(start, Math.min(end, start + PAGE_TEXT_LENGTH_MAX)); // page-reader.2
  }
}

function added(text: string, more: string): string {
  return text.length < PAGE_TEXT_LENGTH_MAX ? text + more : text;
}

/** Where a page names its encoding: within its first bytes. */
const CHARSET_BYTES_MAX = 1_024;
const CHARSET = /<meta\s[^>]{0,256}?charset\s*=\s*["']?\s*([\w:.-]{1,40})/i;

function decode(bytes: Uint8Array, charset: string | undefined): string {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, CHARSET_BYTES_MAX));
  const label = markOf(bytes) ?? charset ?? CHARSET.exec(start)?.[1] ?? "utf-8";
  return decoderOf(label).decode(bytes);
}

/** A byte order mark counts more than any name. */
function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return first === 0xff && second === 0xfe ? "utf-16le" : undefined;
}

function decoderOf(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder(); // The label is no encoding.
  }
}
