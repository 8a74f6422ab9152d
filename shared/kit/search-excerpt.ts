// Search excerpt: the part of a message that an answer to a search shows, with the found words.
//
//   search-excerpt.1. The found words are ranges of the excerpt in UTF-16 units, ascending and
//        apart. An excerpt is text: it contains no markup.
//   search-excerpt.2. An excerpt has at most EXCERPT_LENGTH_MAX units and begins shortly before the
//        first found word. It cuts no character.

import type { Word } from "./search-words.ts";

export const EXCERPT_LENGTH_MAX = 240;
/** The ranges of one excerpt. Later ones are left out. */
export const HIGHLIGHTS_MAX = 20;
/** What stands before the first found word. */
const LEAD = 60;

export interface Excerpt {
  readonly text: string;
  readonly highlights: readonly (readonly [number, number])[];
  /** The message has more text. */
  readonly cut?: true;
}

export function excerptOf(
  text: string,
  words: readonly Word[],
  isFound: (word: string) => boolean,
): Excerpt {
  const ranges = joined(words.filter(({ word }) => isFound(word)));
  const first = ranges[0]?.[0] ?? 0;
  const from = text.length <= EXCERPT_LENGTH_MAX ? 0 : whole(text, Math.max(0, first - LEAD));
  const to = whole(text, Math.min(text.length, from + EXCERPT_LENGTH_MAX));
  const highlights = ranges
    .filter(([start, end]) => start >= from && end <= to)
    .slice(0, HIGHLIGHTS_MAX)
    .map(([start, end]) => [start - from, end - from] as const);
  const isCut = from > 0 || to < text.length;
  return { text: text.slice(from, to), highlights, ...(isCut && { cut: true as const }) };
}

/** Pairs of characters overlap. */
function joined(words: readonly Word[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const { start, end } of words) {
    const last = ranges.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else ranges.push([start, end]);
  }
  return ranges;
}

/** The place, or the one before it when a character of two units stands there. */
function whole(text: string, place: number): number {
  const isInside =
    text.charCodeAt(place) >> 10 === 0x37 && text.charCodeAt(place - 1) >> 10 === 0x36;
  return isInside ? place - 1 : place;
}
