// MentionText: finds, completes and cuts "@name" in a text. Pure.
//
// A user id is almost any text, also with spaces, so a text alone does not say where a name ends:
// only names that the page knows are mentions.
//
//   mention-text.1. "@" begins a mention at the start of the text, or behind a character that is no
//        letter, digit, "@" or "/". So no address of e-mail is one.
//   mention-text.2. The longest known name wins, and a letter or a digit behind it makes it another
//       name.
//   mention-text.3. The cost is bounded: at most NAMES_MAX names, and MENTIONS_MAX mentions.

import { MENTIONS_MAX } from "#shared/protocol/limits.ts";

const NAMES_MAX = 2_000;
const CHOICES_MAX = 8;
const QUERY_MAX = 40;
/** Everyone in the room. */
export const ROOM_MENTION = "room";

export interface Completion {
  /** The place of the "@". */
  readonly from: number;
  readonly query: string;
}

const BEGUN = new RegExp(`(?:^|[^\\p{L}\\p{N}@/])@([^\\n@]{0,${QUERY_MAX}})$`, "u");

/** The mention that is typed at the caret; undefined: there is none. */
export function completionAt(text: string, caret: number): Completion | undefined {
  const before = text.slice(Math.max(0, caret - QUERY_MAX - 2), caret);
  const query = BEGUN.exec(before)?.[1];
  return query === undefined ? undefined : { from: caret - query.length - 1, query };
}

/** The names that fit, best first. */
export function namesFor(query: string, names: readonly string[]): readonly string[] {
  const wanted = query.toLocaleLowerCase();
  const begins = (name: string): boolean => name.toLocaleLowerCase().startsWith(wanted);
  const words = (name: string): boolean => name.toLocaleLowerCase().includes(` ${wanted}`);
  const first = names.filter(begins);
  const second = names.filter((name) => !begins(name) && words(name));
  return [...first, ...second].slice(0, CHOICES_MAX);
}

export function complete(
  text: string,
  { from, query }: Completion,
  name: string,
): { readonly text: string; readonly caret: number } {
  const end = from + 1 + query.length;
  const inserted = `@${name} `;
  const rest = text.slice(end).replace(/^ /u, "");
  return { text: text.slice(0, from) + inserted + rest, caret: from + inserted.length };
}

/** A part of a text, and the name that it mentions. */
export interface TextPart {
  readonly text: string;
  readonly name?: string;
}

/** Cuts the text; the texts of all parts are the text. */
export function cutMentions(text: string, names: readonly string[]): readonly TextPart[] {
  if (!text.includes("@")) return [{ text }];
  const longestFirst = [...names].slice(0, NAMES_MAX).sort((a, b) => b.length - a.length);
  const parts: TextPart[] = [];
  let end = 0;
  let found = 0;
  for (const { index } of text.matchAll(/@/gu)) {
    if (index < end || found >= MENTIONS_MAX || !isOpening(text, index)) continue;
    const name = longestFirst.find((one) => isNameAt(text, index + 1, one));
    if (name === undefined) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    end = index + 1 + name.length;
    found += 1;
    parts.push({ text: text.slice(index, end), name });
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** The mentioned names, each once. */
export function mentionsIn(text: string, names: readonly string[]): readonly string[] {
  return [...new Set(cutMentions(text, names).flatMap(({ name }) => name ?? []))];
}

const WORD = /[\p{L}\p{N}@/]/u;

function isOpening(text: string, at: number): boolean {
  return at === 0 || !WORD.test(characterBefore(text, at));
}

function isNameAt(text: string, at: number, name: string): boolean {
  if (name === "" || !text.startsWith(name, at)) return false;
  const behind = text.codePointAt(at + name.length);
  return behind === undefined || !/[\p{L}\p{N}]/u.test(String.fromCodePoint(behind));
}

function characterBefore(text: string, at: number): string {
  return Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? "";
}
