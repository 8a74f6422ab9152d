// SearchVector: the texts of the types `tsvector` and `tsquery` of PostgreSQL.
//
//   search-vector.1. Words have letters, marks and digits only (search-words.1), and names are room
//        ids or base64url: no text needs an escape. What a message is found by beside its words has
//        a colon, which no word has.

import type { SearchedMessage } from "#shared/kit/searched-message.ts";
import type { Term, TermWord, Word } from "#shared/kit/search-words.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SearchHas } from "#shared/protocol/search.ts";

/** PostgreSQL keeps no more of one word. */
const PLACES_MAX = 255;

/** The words as they stand, with their places, and the names without places. */
export function vectorText(
  room: RoomId,
  { from, has }: SearchedMessage,
  words: readonly Word[],
): string {
  const places = new Map<string, number[]>();
  for (const [i, { word }] of words.entries()) {
    const known = places.get(word);
    if (known === undefined) places.set(word, [i + 1]);
    else if (known.length < PLACES_MAX) known.push(i + 1);
  }
  const names = [nameOfRoom(room), nameOfSender(from), ...has.map(nameOfHas)];
  return [...names, ...Array.from(places, ([word, at]) => `'${word}':${at.join(",")}`)].join(" ");
}

export function nameOfRoom(room: RoomId): string {
  return `'in:${room}'`;
}

export function nameOfSender(user: UserId): string {
  return `'from:${Buffer.from(user).toString("base64url")}'`;
}

export function nameOfHas(has: SearchHas): string {
  return `'has:${has}'`;
}

/** One term, whose words stand in a row. */
export function termText({ words }: Pick<Term, "words">): string {
  return words
    .map((one, i) => (i === 0 ? wordText(one) : ` <${one.gap}> ${wordText(one)}`))
    .join("");
}

function wordText({ word, isBegin }: TermWord): string {
  return isBegin ? `'${word}':*` : `'${word}'`;
}
