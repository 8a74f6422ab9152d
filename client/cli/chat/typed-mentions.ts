// TypedMentions: whom a text that was typed in `parley chat` mentions. Pure.
//
//   typed-mentions.1. A mention is a word that begins with "@" and names a known user, with or
//        without punctuation behind it. So a name with a space is none.
//   typed-mentions.2. "@room" is no mention here. An edit leaves a message that mentions everyone
//        as it is while its text has the word, and otherwise replaces its mentions.

const EVERYONE = "@room";

/** Each user once, in the order of the text. */
export function mentionsOf(text: string, users: Iterable<string>): readonly string[] {
  const known = new Set(users);
  const found = wordsOf(text).flatMap((word) => {
    const name = word.slice(1);
    return [name, withoutEnd(name)].find((one) => known.has(one)) ?? [];
  });
  return [...new Set(found)];
}

/** `before`: the mentions of the message. Undefined: they stay. */
export function mentionsOfEdit(
  text: string,
  users: Iterable<string>,
  before: readonly string[] | "@room" | undefined,
): readonly string[] | undefined {
  if (before !== EVERYONE) return mentionsOf(text, [...users, ...(before ?? [])]);
  const isCalling = wordsOf(text).some((word) => withoutEnd(word) === EVERYONE);
  return isCalling ? undefined : mentionsOf(text, users); // typed-mentions.2
}

/** The words that begin with "@". */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\S)@\S+/g)].map(([word]) => word);
}

function withoutEnd(word: string): string {
  return word.replace(/[.,:;!?)]+$/, "");
}
