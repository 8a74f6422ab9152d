// PostgresSearch: finds messages in the index of postgres-search-index.ts.
//
//   postgres-search.1. A word matches as it stands, or by its stem in the language of the cluster.
//        A word that the language leaves out as too common, and a phrase, match as they stand.
//   postgres-search.2. The newest rows are looked at first, NEWEST_SCAN of them: a common word is
//        found there. A word that is not found there often enough is rare, and the index of words
//        gives all its messages. So neither of them reads a large part of the table.
//   postgres-search.3. The statement that reads the messages reads the memberships, too: they are
//        of one moment (ports/search.1).
//   postgres-search.4. The text comes from the archive, not from the index. A message that was
//        deleted, or whose new text has none of the words, is left out although the index still has
//        it.
//   postgres-search.5. The index has the room of each message as a word. So the words of a user
//        with at most ROOMS_NAMED_MAX rooms are looked up within them.

import type { Pool } from "pg";
import { bodyOfText } from "#shared/kit/message-fold.ts";
import { excerptOf } from "#shared/kit/search-excerpt.ts";
import { searchedMessage } from "#shared/kit/searched-message.ts";
import type { SearchedMessage } from "#shared/kit/searched-message.ts";
import { hasWanted, isWanted, termsOf, wordsOf } from "#shared/kit/search-words.ts";
import type { Term } from "#shared/kit/search-words.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import { SEARCH_RANKED_MAX } from "#shared/protocol/limits.ts";
import { readSearchCursor, searchCursor } from "#shared/protocol/search.ts";
import type {
  FoundMessage,
  FoundMessages,
  SearchPlace,
  SearchQuery,
} from "#shared/protocol/search.ts";
import { nameOfHas, nameOfRoom, nameOfSender, termText } from "./search-vector.ts";

/** postgres-search.2. */
const NEWEST_SCAN = 4_000;
/** postgres-search.5. */
const ROOMS_NAMED_MAX = 500;
/** The words of one message among which found ones are shown. */
const SHOWN_WORDS_MAX = 400;
/** The language without stems. */
export const NO_LANGUAGE = "simple";

interface Row {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly at: Millis;
  readonly line: string | null;
  readonly body: string | null;
}

/** What all statements of one search share. */
interface Search {
  readonly query: SearchQuery;
  readonly terms: readonly Term[];
  /** The terms as `tsquery`; "": every message. */
  readonly words: string;
  /** The rooms to search, as `tsquery`; undefined: too many to name. */
  readonly rooms: string | undefined;
  /** Any of the wanted stems. */
  readonly stems: string;
  readonly language: string;
}

/** Rejects when PostgreSQL does. */
export async function searchMessages(
  pool: Pool,
  language: string,
  query: SearchQuery,
): Promise<FoundMessages> {
  const search = await prepare(pool, language, query);
  if (search === undefined) return { messages: [] };
  const place = query.cursor === undefined ? undefined : readSearchCursor(query.cursor);
  if ((place?.order ?? query.order) === "best") {
    return best(pool, search, place?.order === "best" ? place : undefined);
  }
  return newest(pool, search, place?.order === "newest" ? place : undefined);
}

/** Undefined: nothing can be found. */
async function prepare(
  pool: Pool,
  language: string,
  query: SearchQuery,
): Promise<Search | undefined> {
  const { user, room, from, has } = query;
  const terms = termsOf(query.text);
  if (!hasWanted(terms) && from === undefined && has === undefined) return undefined;
  const texts = terms.map(termText);
  const alone = terms.map((term, i) => (term.words.length === 1 ? (texts[i] ?? "") : ""));
  const { rows } = await pool.query<{ stems: string[]; rooms: RoomId[] }>({
    text: `select
      array(select to_tsquery($1::text::regconfig, t)::text
        from unnest($2::text[]) with ordinality as u (t, n) order by n) as stems,
      array(select room from members where member = $3 and role <> 'none' and not banned
        limit ${ROOMS_NAMED_MAX + 1}) as rooms`,
    values: [language, language === NO_LANGUAGE ? [] : alone, user],
  });
  const { stems = [], rooms = [] } = rows[0] ?? {};
  const named = room === undefined ? rooms : [room];
  if (named.length === 0) return undefined;
  const asked = terms.map(({ isExcluded }, i) => {
    const stem = stems[i] ?? "";
    // postgres-search.1
    const either = stem === "" ? `(${texts[i]})` : `((${texts[i]}) | (${stem}))`;
    return isExcluded ? `!${either}` : either;
  });
  const names = [
    ...(from === undefined ? [] : [nameOfSender(from)]),
    ...(has === undefined ? [] : [nameOfHas(has)]),
  ];
  const wantedStems = stems.filter((stem, i) => stem !== "" && terms[i]?.isExcluded === false);
  return {
    query,
    terms,
    words: [...names, ...asked].join(" & "),
    rooms: named.length > ROOMS_NAMED_MAX ? undefined : named.map(nameOfRoom).join(" | "),
    stems: wantedStems.map((stem) => `(${stem})`).join(" | "),
    language,
  };
}

/** Numbers the values of one statement as they are used. */
class Values {
  readonly all: unknown[] = [];

  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

const MINE = (user: string): string =>
  `mine as materialized (select room from members
    where member = ${user} and role <> 'none' and not banned)`;
const ORDER = "at desc, room desc, seq desc";

/** The conditions on a row of the index beside its words. */
function bounds({ query }: Search, values: Values, place: SearchPlace | undefined): string {
  const { room, upTo, before, after } = query;
  const parts = ["true"];
  if (room !== undefined) parts.push(`room = ${values.add(room)}`);
  if (upTo !== undefined) parts.push(`seq <= ${values.add(upTo)}::bigint`);
  if (after !== undefined) parts.push(`at > ${values.add(after)}::bigint`);
  if (before !== undefined) parts.push(`at < ${values.add(before)}::bigint`);
  if (place?.order === "newest") {
    const { at, room: last, seq } = place;
    const bound = `${values.add(at)}::bigint, ${values.add(last)}::text, ${values.add(seq)}::bigint`;
    parts.push(`(at, room, seq) < (${bound})`);
  }
  if (place?.order === "best") parts.push(`at <= ${values.add(place.asOf)}::bigint`);
  return parts.join(" and ");
}

/**
 * The messages that match, as a subquery with room, seq and at. `scan`: of the newest rows only.
 */
function matching(
  search: Search,
  values: Values,
  place: SearchPlace | undefined,
  { scan }: { readonly scan?: number },
): string {
  const words = search.words === "" ? "true" : `tsv @@ ${values.add(search.words)}::tsquery`;
  const within = bounds(search, values, place);
  const isMine = search.query.room === undefined ? "room in (select room from mine)" : "true";
  if (scan !== undefined) {
    // In one room the numbers are the order of the times.
    const order = search.query.room === undefined ? ORDER : "seq desc";
    return `select room, seq, at from (
      select room, seq, at, tsv from search where ${within} order by ${order} limit ${scan}
    ) as near where ${words} and ${isMine}`;
  }
  const named = search.rooms === undefined ? "true" : `tsv @@ ${values.add(search.rooms)}::tsquery`;
  return `select room, seq, at from (
    select room, seq, at from search where ${words} and ${named} and ${within} offset 0
  ) as found where ${isMine}`;
}

async function newest(
  pool: Pool,
  search: Search,
  place: SearchPlace | undefined,
): Promise<FoundMessages> {
  const { limit } = search.query;
  let rows: Row[] = [];
  for (const scan of [NEWEST_SCAN, undefined]) {
    const values = new Values();
    const mine = MINE(values.add(search.query.user));
    const found = matching(search, values, place, scan === undefined ? {} : { scan });
    const text = `with ${mine}, page as materialized (
        ${found} order by ${ORDER} limit ${limit + 1}
      ) ${withLines("page", ORDER)}`;
    ({ rows } = await pool.query<Row>({ text, values: values.all }));
    if (rows.length > limit) break; // postgres-search.2
  }
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const isCut = last !== undefined && rows.length > limit;
  const messages = await shown(pool, search, page);
  return { messages, ...(isCut && { next: searchCursor({ order: "newest", ...last }) }) };
}

async function best(
  pool: Pool,
  search: Search,
  place: Extract<SearchPlace, { order: "best" }> | undefined,
): Promise<FoundMessages> {
  const { limit } = search.query;
  const skip = place?.skip ?? 0;
  let rows: (Row & { readonly as_of: Millis; readonly ranked: number })[] = [];
  for (const scan of [2 * NEWEST_SCAN, undefined]) {
    const values = new Values();
    const mine = MINE(values.add(search.query.user));
    const found = matching(search, values, place, scan === undefined ? {} : { scan });
    const ranking =
      search.words === "" ? "0" : `ts_rank(tsv, ${values.add(search.words)}::tsquery)`;
    const text = `with ${mine}, newest as materialized (
        ${found} order by ${ORDER} limit ${SEARCH_RANKED_MAX}
      ), page as materialized (
        select s.room, s.seq, s.at, ${ranking} as rank, count(*) over ()::int as ranked,
          max(s.at) over () as as_of
        from newest join search s using (room, seq) order by rank desc, ${qualified(ORDER)}
        offset ${skip} limit ${limit + 1}
      ) ${withLines("page", `rank desc, ${ORDER}`, ", page.ranked, page.as_of")}`;
    ({ rows } = await pool.query({ text, values: values.all }));
    if (rows[0]?.ranked === SEARCH_RANKED_MAX) break;
  }
  const page = rows.slice(0, limit);
  const [first] = page;
  const isCut = first !== undefined && rows.length > limit;
  const asOf = place?.asOf ?? first?.as_of ?? 0;
  const messages = await shown(pool, search, page);
  const next = searchCursor({ order: "best", asOf, skip: skip + limit });
  return { messages, ...(isCut && { next }) };
}

function withLines(page: string, order: string, more = ""): string {
  return `select ${page}.room, ${page}.seq, ${page}.at, e.line, m.body ${more}
    from ${page} left join events e on e.room = ${page}.room and e.seq = ${page}.seq
    left join message_state m on m.room = ${page}.room and m.seq = ${page}.seq
    order by ${order.replaceAll(/\b(at|room|seq|rank) desc/g, `${page}.$1 desc`)}`;
}

function qualified(order: string): string {
  return order.replaceAll(/\b(at|room|seq) desc/g, "s.$1 desc");
}

/** postgres-search.4. */
async function shown(pool: Pool, search: Search, rows: readonly Row[]): Promise<FoundMessage[]> {
  const messages = rows.flatMap(({ room, seq, line, body }) => {
    const edited = body === null ? undefined : bodyOfText(body);
    const message = line === null ? undefined : searchedMessage(line, { body: edited });
    return message === undefined ? [] : [{ room, seq, message }];
  });
  const texts = messages.map(({ message: { text } }) => wordsOf(text, SHOWN_WORDS_MAX));
  const stems = await wordsWithStems(
    pool,
    search,
    texts.flat().map(({ word }) => word),
  );
  const isFound = (word: string): boolean => stems.has(word) || isWanted(search.terms, word);
  return messages.flatMap(({ room, seq, message }, i): FoundMessage[] => {
    const words = texts[i] ?? [];
    const { from, at, thread, text }: SearchedMessage = message;
    const excerpt = excerptOf(text, words, isFound);
    const isWhole = words.length < SHOWN_WORDS_MAX;
    if (hasWanted(search.terms) && isWhole && !words.some(({ word }) => isFound(word))) return [];
    return [{ room, seq, from, at, ...(thread !== undefined && { thread }), ...excerpt }];
  });
}

/** Those of the words whose stem is wanted. */
async function wordsWithStems(
  pool: Pool,
  { stems, language }: Search,
  words: readonly string[],
): Promise<ReadonlySet<string>> {
  if (stems === "" || words.length === 0) return new Set();
  const { rows } = await pool.query<{ word: string }>({
    text: `select word from unnest($1::text[]) as word
      where to_tsvector($2::text::regconfig, word) @@ $3::tsquery`,
    values: [[...new Set(words)], language, stems],
  });
  return new Set(rows.map(({ word }) => word));
}
