// TextField: the text that the user writes, and the place of the cursor in it. Pure.
//
//   text-field.1. The cursor stands between two graphemes.
//   text-field.2. A text of more than TEXT_MAX graphemes takes no more keys.

import { graphemesOf, widthOf, wrap } from "./wrap.ts";

/** Far above what the size of a frame permits. */
const TEXT_MAX = 20_000;

export interface Composer {
  readonly text: readonly string[];
  readonly cursor: number;
}

export const EMPTY: Composer = { text: [], cursor: 0 };

export function composerOf(text: string): Composer {
  const all = graphemesOf(text);
  return { text: all, cursor: all.length };
}

export function textIn({ text }: Composer): string {
  return text.join("");
}

export function insert({ text, cursor }: Composer, added: string): Composer {
  if (text.length >= TEXT_MAX) return { text, cursor };
  const before = text.slice(0, cursor).join("") + added;
  // A combining character joins the grapheme before the cursor.
  const whole = graphemesOf(before + text.slice(cursor).join(""));
  return { text: whole, cursor: Math.min(graphemesOf(before).length, whole.length) };
}

/** A key that edits; undefined when it means something else. */
export function edit(composer: Composer, key: string): Composer | undefined {
  const { text, cursor } = composer;
  const move = (to: number): Composer => ({
    text,
    cursor: Math.max(0, Math.min(text.length, to)),
  });
  const cut = (from: number, to: number): Composer => ({
    text: [...text.slice(0, from), ...text.slice(to)],
    cursor: from,
  });
  switch (key) {
    case "left":
      return move(cursor - 1);
    case "right":
      return move(cursor + 1);
    case "home":
    case "ctrl+a":
      return move(0);
    case "end":
    case "ctrl+e":
      return move(text.length);
    case "ctrl+left":
    case "meta+b":
      return move(wordStart(text, cursor));
    case "ctrl+right":
    case "meta+f":
      return move(wordEnd(text, cursor));
    case "backspace":
      return cursor === 0 ? composer : cut(cursor - 1, cursor);
    case "delete":
      return cut(cursor, cursor + 1);
    case "ctrl+w":
    case "meta+backspace":
      return cut(wordStart(text, cursor), cursor);
    case "ctrl+u":
      return cut(0, cursor);
    case "ctrl+k":
      return cut(cursor, text.length);
    default:
      return undefined;
  }
}

/** The lines of the text in `width` columns, and the place of the cursor in them. */
export function composerLines(
  { text, cursor }: Composer,
  width: number,
): { readonly lines: readonly string[]; readonly x: number; readonly y: number } {
  const lines = wrap(text.join(""), width);
  // A space at the end of a line can be left out there, so the cursor is in the text before it.
  const before = wrap(text.slice(0, cursor).join(""), width);
  const y = Math.min(before.length, lines.length) - 1;
  const trailing = /( *)$/.exec(text.slice(0, cursor).join(""))?.[1] ?? "";
  const last = before.at(-1) ?? "";
  const shown = last.endsWith(trailing) ? last : last + trailing;
  return { lines, x: Math.min(widthOf(shown), width), y };
}

function wordStart(text: readonly string[], cursor: number): number {
  let at = cursor;
  while (at > 0 && text[at - 1] === " ") at--;
  while (at > 0 && text[at - 1] !== " ") at--;
  return at;
}

function wordEnd(text: readonly string[], cursor: number): number {
  let at = cursor;
  while (at < text.length && text[at] === " ") at++;
  while (at < text.length && text[at] !== " ") at++;
  return at;
}
