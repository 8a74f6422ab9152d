// Search words: the words of a text as the index has them, and the terms of a query.
//
// Owns: where a word begins and ends, its form in the index, the syntax of a query. Does not own:
// the stems of a language, which PostgreSQL knows
// (services/persistence/adapters/postgres-search.ts).
//
//   search-words.1. A word is a run of letters, marks and digits, in lower case (NFKC). Text and
//        query are cut by this one function, so a word that stands in a text is found by itself.
//   search-words.2. Scripts that write words without spaces are cut into pairs of characters: 绿茶叶
//        gives 绿茶, 茶叶, and the last character 叶 alone. A query of several characters is a
//        phrase of pairs, and one character alone is the begin of a pair.
//   search-words.3. A query is a list of terms, all of which a message must match: words,
//        "phrases", begin* and -excluded. A text with other signs has no syntax error.
//   search-words.4. At most TEXT_WORDS_MAX words of a text are indexed, and QUERY_TERMS_MAX terms
//        of a query count. A word counts with its first WORD_LENGTH_MAX units.

/** Words of one message. The others are not found. */
export const TEXT_WORDS_MAX = 2_000;
/** Terms of one query. The others are ignored. */
export const QUERY_TERMS_MAX = 16;
/** The words of one phrase. The others are ignored. */
const PHRASE_WORDS_MAX = 32;
/** A longer word is cut, in texts and in queries. */
const WORD_LENGTH_MAX = 64;

export interface Word {
  readonly word: string;
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** The single character at the end of a run of pairs (search-words.2). */
  readonly isLast?: true;
}

export interface TermWord {
  readonly word: string;
  /** Every word that begins with it matches. */
  readonly isBegin: boolean;
  /** Places behind the word before it in the term; 0 for the first one. */
  readonly gap: number;
}

/** One word, or several in a row. */
export interface Term {
  readonly words: readonly TermWord[];
  readonly isExcluded: boolean;
}

const RUN = /[\p{L}\p{M}\p{N}]+/gu;
/** Of scripts without spaces between words. Hangul has spaces, but compounds like German. */
const UNSPACED =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]+/gu;
const ASCII = /^\p{ASCII}*$/u;
/** RUN in a text of ASCII: three times as fast, as all of its form is. Most texts are. */
const ASCII_RUN = /[A-Za-z0-9]+/g;
/** An optional minus, then a phrase in quotes or signs without a space. */
const CHUNK = /(-?)(?:"([^"]*)"?|(\S+))/gu;

/** At most `most` words, in order (search-words.1). */
export function wordsOf(text: string, most = TEXT_WORDS_MAX): Word[] {
  if (ASCII.test(text)) return wordsOfAscii(text, most);
  const found: Word[] = [];
  for (const { 0: run, index } of text.matchAll(RUN)) {
    if (ASCII.test(run)) found.push(asciiWord(run, index));
    else addRun(found, run, index);
    if (found.length >= most) return found.slice(0, most);
  }
  return found;
}

function addRun(found: Word[], run: string, index: number): void {
  let from = 0;
  for (const unspaced of run.matchAll(UNSPACED)) {
    addWord(found, run.slice(from, unspaced.index), index + from);
    addPairs(found, unspaced[0], index + unspaced.index);
    from = unspaced.index + unspaced[0].length;
  }
  addWord(found, run.slice(from), index + from);
}

function wordsOfAscii(text: string, most: number): Word[] {
  const found: Word[] = [];
  for (const { 0: run, index } of text.matchAll(ASCII_RUN)) {
    if (found.length === most) break;
    found.push(asciiWord(run, index));
  }
  return found;
}

function asciiWord(run: string, start: number): Word {
  const word = run.slice(0, WORD_LENGTH_MAX).toLowerCase();
  return { word, start, end: start + run.length };
}

function addWord(found: Word[], text: string, start: number): void {
  if (text === "") return;
  const word = formOf(text);
  if (word !== "") found.push({ word, start, end: start + text.length });
}

/** search-words.2. */
function addPairs(found: Word[], run: string, start: number): void {
  const signs = Array.from(run);
  let at = start;
  for (const [i, sign] of signs.entries()) {
    const next = signs[i + 1];
    const text = next === undefined ? sign : sign + next;
    const end = at + text.length;
    const word = formOf(text);
    if (word !== "") {
      found.push({ word, start: at, end, ...(next === undefined && { isLast: true as const }) });
    }
    at += sign.length;
  }
}

/** A form can have signs that are part of no word, such as the slash of ½. They are left out. */
function formOf(text: string): string {
  const form = text.normalize("NFKC").toLowerCase();
  const letters = form.match(RUN)?.join("") ?? "";
  if (letters.length <= WORD_LENGTH_MAX) return letters;
  const cut = letters.slice(0, WORD_LENGTH_MAX);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** search-words.3. */
export function termsOf(query: string): Term[] {
  const terms: Term[] = [];
  for (const [, minus, phrase, signs = ""] of query.matchAll(CHUNK)) {
    const words = termWords(phrase ?? signs, phrase === undefined && signs.endsWith("*"));
    if (words.length > 0) terms.push({ words, isExcluded: minus === "-" });
    if (terms.length === QUERY_TERMS_MAX) break;
  }
  return terms;
}

function termWords(text: string, isBegin: boolean): TermWord[] {
  const words = wordsOf(text, PHRASE_WORDS_MAX);
  const term: TermWord[] = [];
  let place = 0;
  for (const [i, { word, start, isLast }] of words.entries()) {
    const before = words[i - 1];
    // The pair before it contains the last character of a run.
    if (isLast === true && before !== undefined && before.end > start) continue;
    const isEnd = i === words.length - 1;
    const isOne = isLast === true || (isBegin && isEnd);
    term.push({ word, isBegin: isOne, gap: term.length === 0 ? 0 : i - place });
    place = i;
  }
  return term;
}

/** Whether any term must be in a message: a list of exclusions alone finds nothing. */
export function hasWanted(terms: readonly Term[]): boolean {
  return terms.some(({ isExcluded }) => !isExcluded);
}

/** Whether a text with these words has every wanted term and no excluded one. */
export function matches(terms: readonly Term[], words: readonly Word[]): boolean {
  return terms.every((term) => hasTerm(term, words) !== term.isExcluded);
}

function hasTerm({ words: wanted }: Term, words: readonly Word[]): boolean {
  return words.some((_, first) => {
    let place = first;
    return wanted.every((one) => {
      place += one.gap;
      const found = words[place];
      return found !== undefined && isMatch(one, found.word);
    });
  });
}

/** Whether the word is one of the wanted ones, as it stands. */
export function isWanted(terms: readonly Term[], word: string): boolean {
  return terms.some(({ words, isExcluded }) => {
    return !isExcluded && words.some((one) => isMatch(one, word));
  });
}

function isMatch({ word, isBegin }: TermWord, found: string): boolean {
  return isBegin ? found.startsWith(word) : found === word;
}
