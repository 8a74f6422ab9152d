// Search item, SEARCH: how long a search takes among 1,000,000 messages (SCALE=0.01: a hundredth of
// them), on a real PostgreSQL, as persistence runs it, without bus and gateway. The messages are
// inserted directly. Then the indexer reads them all, which is a rebuild.
//
// Words have Zipf's distribution, as in a language: the commonest one is in every second message,
// most are rare. Each twentieth message is Chinese. A user is a member of rooms of all sizes.

import { Client } from "pg";
import { below, seededRandom } from "#shared/kit/random.ts";
import { uuidv7 } from "#shared/kit/uuid.ts";
import type { Random } from "#shared/ports/clock.ts";
import type { RoomId, UserId } from "#shared/protocol/ids.ts";
import type { SearchQuery } from "#shared/protocol/search.ts";
import { launchPostgres } from "#shared/testing/launch-postgres.ts";
import { PostgresArchive } from "../../../services/persistence/adapters/archive-postgres.ts";
import { migrate } from "../../../services/persistence/adapters/migrate.ts";
import {
  int8Array,
  textArray,
  uuidArray,
} from "../../../services/persistence/adapters/pg-arrays.ts";
import { atMost } from "../item.ts";
import type { Item, ItemResult } from "../item.ts";

const MESSAGES = 1_000_000;
const ROOMS = 1_000;
const OWN_ROOMS = 50;
const SENDERS = 500;
const BATCH = 5_000;
const WORDS = 20_000;
const RUNS = 40;
const TARGET_MS = 100;
const T0 = 1_795_500_000_000;
/** Of 50 rooms; of one small room; of all rooms. */
const READER = "reader" as UserId;
const GUEST = "guest" as UserId;
const AUDITOR = "auditor" as UserId;
const CHINESE = "我们今天明天去喝绿茶吃饭看电影工作学习手机电脑";

export const SEARCH: Item = {
  id: "SEARCH",
  title: `search: ${MESSAGES.toLocaleString("en")} messages in ${ROOMS.toLocaleString("en")} rooms`,
  async play({ say, scale }): Promise<ItemResult> {
    const server = await launchPostgres();
    const store = new PostgresArchive({ url: server.url, searchLanguage: "german" });
    try {
      await migrate({ url: server.url });
      const messages = Math.round(MESSAGES * scale);
      await fill(server.url, messages);
      say(`  inserted ${whole(messages)} messages`);
      const perSecond = await indexAll(store);
      say(`  indexed ${whole(perSecond)} messages/s; ${await sizes(server.url)}`);
      const all: number[] = [];
      for (const [name, query] of queries(messages)) {
        const { times, found } = await measure(store, query);
        all.push(...times);
        const [p50, p95] = [at(times, 0.5), at(times, 0.95)].map((ms) => ms.toFixed(1));
        say(`  ${name}: ${found} found, p50 ${p50} ms, p95 ${p95} ms`);
      }
      const p95 = at(all, 0.95);
      return { legs: [], verdicts: [atMost("search, p95 of all kinds", p95, TARGET_MS, "ms")] };
    } finally {
      await store.close();
      await server.stop();
    }
  },
};

/** Kinds of searches as users make them. */
function queries(messages: number): (readonly [string, SearchQuery])[] {
  const as = (text: string, more: Partial<SearchQuery> = {}): SearchQuery => {
    return { user: READER, text, order: "newest", limit: 20, ...more };
  };
  const room = "room-0" as RoomId;
  const half = T0 + Math.floor(messages / 2) * 100;
  return [
    ["a common word", as(wordOf(0))],
    ["a usual word", as(wordOf(60))],
    ["a rare word", as(wordOf(WORDS / 2))],
    ["a word that no message has", as("xylophon")],
    ["two usual words", as(`${wordOf(20)} ${wordOf(35)}`)],
    ["three words, one excluded", as(`${wordOf(3)} ${wordOf(8)} -${wordOf(1)}`)],
    ["a phrase of common words", as(`"${wordOf(2)} ${wordOf(4)}"`)],
    ["the begin of a word", as(`${wordOf(60).slice(0, 4)}*`)],
    ["a Chinese word", as("绿茶")],
    ["one Chinese character", as("茶")],
    ["a usual word of one user", as(wordOf(30), { from: "user-7" as UserId })],
    ["a usual word in the largest room", as(wordOf(60), { room, upTo: messages })],
    ["a rare word in the largest room", as(wordOf(WORDS / 2), { room, upTo: messages })],
    ["a common word before half of the time", as(wordOf(5), { before: half })],
    ["a common word, best first", as(wordOf(5), { order: "best" })],
    ["a rare word, best first", as(wordOf(900), { order: "best" })],
    ["a common word in one small room", as(wordOf(0), { user: GUEST })],
    ["a usual word in all rooms", as(wordOf(60), { user: AUDITOR })],
    ["a rare word in all rooms", as(wordOf(900), { user: AUDITOR })],
  ];
}

async function measure(
  store: PostgresArchive,
  query: SearchQuery,
): Promise<{ times: number[]; found: number }> {
  const times: number[] = [];
  let found = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const read = await store.search(query);
    times.push(performance.now() - began);
    if (read.kind !== "ok") throw new Error(read.reason);
    found = read.value.messages.length;
  }
  return { times, found };
}

/** As the runner does it, without its waits. Returns the messages per second. */
async function indexAll(store: PostgresArchive): Promise<number> {
  const began = performance.now();
  let events = 0;
  for (;;) {
    const behind = await store.roomsBehind({ after: "", most: 5_000 });
    if (behind.kind !== "ok") throw new Error(behind.reason);
    const rooms = behind.value.rooms.map(({ room }) => room);
    if (rooms.length === 0) return (events / (performance.now() - began)) * 1_000;
    for (let first = 0; first < rooms.length; first += 64) {
      const indexed = await store.indexRooms(rooms.slice(first, first + 64));
      if (indexed.kind !== "ok") throw new Error(indexed.reason);
      events += indexed.value.reduce((sum, room) => sum + room.events, 0);
    }
  }
}

async function fill(url: string, messages: number): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const random = seededRandom(1);
  const heads = new Map<number, number>();
  try {
    for (let done = 0; done < messages; done += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, messages - done) }, (_, i) => {
        return messageRow(random, heads, T0 + (done + i) * 100);
      });
      await client.query(
        `insert into events (room, seq, kind, id, sender, at, line)
          select room, seq, 'msg', id, sender, at, line from unnest(
            $1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::text[]
          ) as e (room, seq, id, sender, at, line)`,
        [
          textArray(rows.map(({ room }) => room)),
          int8Array(rows.map(({ seq }) => seq)),
          uuidArray(rows.map(({ id }) => id)),
          textArray(rows.map(({ from }) => from)),
          int8Array(rows.map(({ at: time }) => time)),
          textArray(rows.map((row) => JSON.stringify(row))),
        ],
      );
    }
    await client.query(
      `insert into rooms (room, born, head, last_at, kind, title, settings_seq)
        select room, '', head, $3, 'closed', room, 1
        from unnest($1::text[], $2::bigint[]) as r (room, head)`,
      [[...heads.keys()].map((n) => `room-${n}`), [...heads.values()], T0],
    );
    // Each twentieth room: of all sizes.
    await client.query(`insert into members (room, member, role, seq)
      select 'room-' || r, who, 'member', 1 from generate_series(0, ${ROOMS - 1}) r,
        unnest(array['${READER}', '${GUEST}', '${AUDITOR}']) as who
      where case who when '${READER}' then r % ${ROOMS / OWN_ROOMS} = 3
        when '${GUEST}' then r = ${ROOMS / 2} else true end`);
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}

function messageRow(random: Random, heads: Map<number, number>, time: number) {
  const n = zipf(random, ROOMS);
  const seq = (heads.get(n) ?? 0) + 1;
  heads.set(n, seq);
  const from = `user-${below(random, SENDERS)}`;
  const body = { text: textOf(random) };
  return { t: "msg", room: `room-${n}`, seq, id: uuidv7(time, random), from, at: time, body };
}

function textOf(random: Random): string {
  if (below(random, 20) === 0) {
    const length = 6 + below(random, 14);
    const signs = Array.from({ length }, () => CHINESE[below(random, CHINESE.length)]);
    return signs.join("");
  }
  const length = 3 + below(random, 14);
  return Array.from({ length }, () => wordOf(zipf(random, WORDS))).join(" ");
}

/** A rank below `count`; rank n is about as frequent as 1/n. */
function zipf(random: Random, count: number): number {
  const share = random.next32() / 0x1_0000_0000;
  return Math.min(count - 1, Math.floor(Math.exp(share * Math.log(count + 1))) - 1);
}

const SYLLABLES = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "wa", "zu", "der", "ung"];

/** The word of a rank: pronounceable, and different from the others. */
function wordOf(rank: number): string {
  let word = "";
  for (let left = rank + 13; left > 0; left = Math.floor(left / 13)) word += SYLLABLES[left % 13];
  return word;
}

async function sizes(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("vacuum analyze search");
    const { rows } = await client.query<{ events: string; search: string; words: string }>(
      `select pg_size_pretty(sum(pg_total_relation_size(relid))) as events,
        pg_size_pretty(pg_total_relation_size('search')) as search,
        pg_size_pretty(pg_relation_size('search_words')) as words
        from pg_partition_tree('events') where isleaf`,
    );
    const { events, search, words } = rows[0] ?? {};
    return `events ${events}, index ${search}, of which ${words} GIN`;
  } finally {
    await client.end();
  }
}

function at(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
