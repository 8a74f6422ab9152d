// PlainText: a text as the page shows it, without elements and without markers, for excerpts. The
// panels that show excerpts load it.
//
// Owns: the places of the shown words in the source. Does not own: the cut into blocks and spans
// (rich-text.ts, rich-line.ts).
//
//   plain-text.1. It shows what the list of messages shows: the texts of all spans, the numbers and
//        points of lists, the host behind the label of a link.
//   plain-text.2. A part with a place has the text that the source has there. Only of a host the
//        case can differ.
//   plain-text.3. The cut of an excerpt can separate two markers. At the begin or the end of a word
//        such a marker is not shown.

import { cutText } from "./rich-text.ts";
import type { Block } from "./rich-text.ts";
import type { Span } from "./rich-line.ts";

export interface PlainPart {
  readonly text: string;
  /** Where it stands in the source; undefined: it does not. */
  readonly from?: number;
}

export function plainText(text: string): string {
  return plainParts(text)
    .map((part) => part.text)
    .join("");
}

/** `isCut`: the text is a part of a message. */
export function plainParts(source: string, isCut = false): readonly PlainPart[] {
  const reader = new SourceReader(source);
  for (const [index, block] of cutText(source).entries()) {
    if (index > 0) reader.show("\n");
    readBlock(block, reader);
  }
  return isCut ? reader.parts.flatMap(withoutSingle) : reader.parts;
}

function readBlock(block: Block, reader: SourceReader): void {
  if (block.kind === "code") reader.readCode(block.text);
  else if (block.kind === "list") {
    for (const [index, spans] of block.items.entries()) {
      const mark = block.start === undefined ? "•" : `${block.start + index}.`;
      reader.show(`${index === 0 ? "" : "\n"}${mark} `);
      reader.enterItem();
      for (const span of spans) readSpan(span, reader);
    }
  } else for (const span of block.spans) readSpan(span, reader);
}

function readSpan(span: Span, reader: SourceReader): void {
  if ("spans" in span) for (const inner of span.spans) readSpan(inner, reader);
  else {
    reader.read(span.text);
    if (span.kind === "link" && span.host !== undefined) reader.readHost(span.href, span.host);
  }
}

/** What stands before an item of a list, at the begin of a line or behind a block of code. */
const ITEM = /(?:^|\n|```) {0,3}(?:[-*•]|\d{1,9}[.)]) +(?=\S)/gu;

class SourceReader {
  readonly parts: PlainPart[] = [];
  readonly #source: string;
  /** Behind the last text that was read. */
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** Adds what the source does not have. */
  show(text: string): void {
    this.parts.push({ text });
  }

  /** The lines of a quote are apart in the source. */
  read(text: string): void {
    for (const [index, line] of text.split("\n").entries()) {
      if (index > 0) this.show("\n");
      if (line !== "") this.#add(line, this.#source.indexOf(line, this.#at));
    }
  }

  enterItem(): void {
    ITEM.lastIndex = this.#at;
    const match = ITEM.exec(this.#source);
    if (match !== null) this.#at = match.index + match[0].length;
  }

  /** The name of its language before a code can contain the code. */
  readCode(code: string): void {
    const ends = ["```", "\n```"].map((end) => this.#source.indexOf(code + end, this.#at));
    this.#add(code, Math.min(...ends.filter((at) => at >= 0)));
  }

  readHost(href: string, host: string): void {
    const begin = this.#source.indexOf(href, this.#at);
    const at = href.toLowerCase().indexOf(host);
    this.show(" (");
    this.parts.push(begin < 0 || at < 0 ? { text: host } : { text: host, from: begin + at });
    this.show(")");
    if (begin >= 0) this.#at = begin + href.length;
  }

  /** plain-text.2. */
  #add(text: string, from: number): void {
    if (from >= this.#at && this.#source.startsWith(text, from)) {
      this.parts.push({ text, from });
      this.#at = from + text.length;
    } else this.show(text);
  }
}

/** Between two words or two spaces it is no marker. */
const SINGLE = /(?<![\p{L}\p{N}])(?:\*\*|~~|```)(?=\S)|(?<=\S)(?:\*\*|~~|```)(?![\p{L}\p{N}])/gu;

/** plain-text.3. */
function withoutSingle({ text, from }: PlainPart): readonly PlainPart[] {
  if (from === undefined) return [{ text }];
  const parts: PlainPart[] = [];
  let end = 0;
  for (const { 0: marker, index } of text.matchAll(SINGLE)) {
    parts.push({ text: text.slice(end, index), from: from + end });
    end = index + marker.length;
  }
  return [...parts, { text: text.slice(end), from: from + end }];
}
