// Wrap: cuts a text into lines of a terminal.
//
//   wrap.1. No line is wider than the width, in columns: a Chinese character or an emoji has two. A
//        grapheme is never cut.
//   wrap.2. Every control character is made visible, except the line breaks, which break lines, and
//        tabs, which become two spaces. So a text cannot move the cursor or change colours.
//   wrap.3. A line is cut at a space where it has one.

import stringWidth from "string-width";
import { neutral } from "../print.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

export function graphemesOf(text: string): readonly string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** In columns. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The lines of a user's text (wrap.2); `first` columns are left for the first line. */
export function wrap(text: string, width: number, first = width): readonly string[] {
  const lines: string[] = [];
  for (const line of harmlessLines(text)) {
    lines.push(...wrapLine(line, Math.max(2, width), lines.length === 0 ? first : width));
  }
  return lines;
}

/** On one line, at most `width` columns. */
export function fit(text: string, width: number): string {
  const line = harmlessLines(text).join(" ");
  if (widthOf(line) <= width) return line;
  let [kept, used] = ["", 0];
  for (const grapheme of graphemesOf(line)) {
    used += widthOf(grapheme);
    if (used > width - 1) break;
    kept += grapheme;
  }
  return width < 1 ? "" : `${kept}…`;
}

/** wrap.2. */
function harmlessLines(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) => neutral(line.replaceAll("\t", "  ")));
}

function wrapLine(line: string, width: number, first: number): readonly string[] {
  const lines: string[] = [];
  let [current, used] = ["", 0];
  // wrap.3: what follows the last space, in case the line must be cut before it.
  let [word, wordWidth] = ["", 0];
  const room = (): number => (lines.length === 0 ? first : width);
  for (const grapheme of graphemesOf(line)) {
    const columns = widthOf(grapheme);
    if (used + columns > room()) {
      const isWholeWord = word !== "" && wordWidth < used && wordWidth + columns <= width;
      if (grapheme === " " || !isWholeWord) {
        lines.push(current);
        [current, used] = ["", 0];
        [word, wordWidth] = ["", 0];
        if (grapheme === " ") continue;
      } else {
        lines.push(current.slice(0, current.length - word.length).trimEnd());
        [current, used] = [word, wordWidth];
      }
    }
    current += grapheme;
    used += columns;
    if (grapheme === " ") [word, wordWidth] = ["", 0];
    else [word, wordWidth] = [word + grapheme, wordWidth + columns];
  }
  return [...lines, current];
}
