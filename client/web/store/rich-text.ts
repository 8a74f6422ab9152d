// RichText: cuts the text of a message into blocks from which the page builds elements: paragraphs,
// quotes, lists and blocks of code. rich-line.ts cuts what is inside of a line.
//
// It is the part of Markdown that users type in a chat. It creates no markup. Each text becomes a
// text node, and only the checked address of a link becomes an attribute (H4).
//
//   rich-text.1. The texts of all blocks are the text, in order, without the characters that stand
//        for markup.
//   rich-text.2. A block holds lines, no other block. So the page is as deep for a hostile text as
//        for any other.
//   rich-text.3. The cost is linear in the length of the text, also for hostile texts.

import { cutLine } from "./rich-line.ts";
import type { Span } from "./rich-line.ts";

export type Block =
  | { readonly kind: "paragraph" | "quote"; readonly spans: readonly Span[] }
  | { readonly kind: "code"; readonly text: string }
  | {
      readonly kind: "list";
      /** The first number of an ordered list. */
      readonly start: number | undefined;
      readonly items: readonly (readonly Span[])[];
    };

// The quantifiers do not nest: rich-text.3.
const FENCED = /```(?:[a-z0-9+-]{0,16}\n)?([^`]+)```\n?/giu;
const QUOTE = /^ {0,3}> ?/u;
const BULLET = /^ {0,3}[-*•] +(?=\S)/u;
const NUMBER = /^ {0,3}(\d{1,9})[.)] +(?=\S)/u;

export function cutText(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let end = 0;
  for (const match of text.matchAll(FENCED)) {
    const [source, code = ""] = match;
    cutLines(text.slice(end, match.index).replace(/\n$/u, ""), blocks);
    blocks.push({ kind: "code", text: code.replace(/^\n|\n$/gu, "") });
    end = match.index + source.length;
  }
  cutLines(text.slice(end), blocks);
  return blocks;
}

type LineKind = "paragraph" | "quote" | "bullet" | "number";

interface Line {
  readonly kind: LineKind;
  readonly text: string;
  readonly number?: number;
}

function cutLines(text: string, blocks: Block[]): void {
  if (text === "") return;
  let group: Line[] = [];
  for (const line of text.split("\n").map(readLine)) {
    if (group.length > 0 && group[0]?.kind !== line.kind) {
      blocks.push(...blockOf(group));
      group = [];
    }
    group.push(line);
  }
  blocks.push(...blockOf(group));
}

function readLine(line: string): Line {
  const quote = QUOTE.exec(line);
  if (quote !== null) return { kind: "quote", text: line.slice(quote[0].length) };
  const bullet = BULLET.exec(line);
  if (bullet !== null) return { kind: "bullet", text: line.slice(bullet[0].length) };
  const number = NUMBER.exec(line);
  if (number !== null) {
    return { kind: "number", text: line.slice(number[0].length), number: Number(number[1]) };
  }
  return { kind: "paragraph", text: line };
}

function blockOf(lines: readonly Line[]): readonly Block[] {
  const [first] = lines;
  if (first === undefined) return [];
  if (first.kind === "bullet" || first.kind === "number") {
    const items = lines.map((line) => cutLine(line.text));
    return [{ kind: "list", start: first.number, items }];
  }
  const text = lines.map((line) => line.text).join("\n");
  // An empty line between two blocks is the space that the page leaves between them.
  if (first.kind === "paragraph" && text.trim() === "") return [];
  const trimmed = first.kind === "paragraph" ? text.replace(/^\n+/u, "").trimEnd() : text;
  return [{ kind: first.kind, spans: cutLine(trimmed) }];
}

/** One line without markup, for lists that have no room for blocks. */
export function flatText(text: string): string {
  return cutText(text).map(flat).join(" ").replaceAll(/\s+/gu, " ").trim();
}

function flat(part: Block | Span): string {
  if ("text" in part) return part.text;
  if ("spans" in part) return part.spans.map(flat).join("");
  return part.items.map((spans) => spans.map(flat).join("")).join(" ");
}

/** Characters that show something. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** True for a text that shows nothing. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

// Not \p{RGI_Emoji}: a browser takes about a second to compile it.
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2})/u;
const LARGE_EMOJI_MAX = 3;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** True for one to three emoji without other text, which the page shows large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.trim() === "" || text.length > 64) return false;
  const seen = [...graphemes.segment(text.replaceAll(/\s/gu, ""))];
  return seen.length <= LARGE_EMOJI_MAX && seen.every(({ segment }) => EMOJI.test(segment));
}
