// PostgresSearchIndex: writes the index of the search from the archived events.
//
// Owns: the rows of `search` and `search_rooms`. Does not own: which room is next and when
// (core/search-backlog.ts, runtime/search-runner.ts), what a search finds (postgres-search.ts).
//
//   postgres-search-index.1. One transaction locks the rooms in `search_rooms`, reads their events
//        above the indexed number, writes the messages, and moves the number. A second indexer of
//        the same room waits and then continues where the first one ended. So an event is indexed
//        once, and an older state of a message never replaces a newer one.
//   postgres-search-index.2. It writes the present state of each message that an event names, as
//        the archive has it: the newest edit, or no row for a deleted message. So it makes no
//        difference in how many parts the events are read, and a rebuild brings no deleted text
//        back.
//   postgres-search-index.3. A room whose rows were made by other rules, or in another language,
//        counts as not indexed. Its rows are replaced one by one and are found meanwhile.

import type { Pool, PoolClient } from "pg";
import { mentionsOfText } from "#shared/kit/mentions.ts";
import { bodyOfText, keyOf } from "#shared/kit/message-fold.ts";
import { parseObject } from "#shared/kit/json.ts";
import { searchedMessage } from "#shared/kit/searched-message.ts";
import { wordsOf } from "#shared/kit/search-words.ts";
import type { Millis, RoomId, Seq } from "#shared/protocol/ids.ts";
import type { IndexedRoom, RoomsBehind } from "../core/search-backlog.ts";
import { int8Array, textArray } from "./pg-arrays.ts";
import { NO_LANGUAGE } from "./postgres-search.ts";
import { vectorText } from "./search-vector.ts";

/** Events of one transaction, shared by its rooms: as many as a batch of the archive holds. */
const EVENTS_MAX = 2_000;
/**
 * Bytes of their lines and texts, shared by its rooms, as a batch of the archive has. A transaction
 * may read one event more of each room, so it indexes a long event too. Later transactions index
 * the rest of a room.
 */
export const TRANSACTION_BYTES = 2 * 1024 * 1024;
/** Messages that events change, of one statement. They are written before the next are read. */
export const TARGETS_MAX = 64;
/** Messages of one statement. The process serves others between two statements. */
const PUT_MAX = 250;
/** Of each room, also when there are many: with BATCH_ROOMS_MAX rooms EVENTS_MAX of all. */
const EVENTS_MIN = 4;
/** The number of these rules. A new one rebuilds the index. */
const RULES = 1;

/** The event that changes a message: its kind, and what the message is then. */
const CHANGES: ReadonlySet<string> = new Set(["edited", "deleted"]);

const BEGIN_ROOMS = {
  name: "search-begin-rooms",
  text: `insert into search_rooms (room) select * from unnest($1::text[]) on conflict do nothing`,
};

/** In the order of the keys, so that two indexers cannot wait for each other. */
const LOCK_ROOMS = {
  name: "search-lock-rooms",
  text: `select room from search_rooms where room = any($1::text[]) order by room for update`,
};

/** $1 rooms, $2 how they are made, $3 events of each, $4 bytes of each. */
const EVENTS = {
  name: "search-events",
  text: `select room, head, seq, kind, line, body, mentions from (
      select w.room, w.head, e.seq, e.kind, e.line, m.body, m.mentions,
        sum(octet_length(e.line) + coalesce(octet_length(m.body), 0)) over (
          partition by w.room order by e.seq rows between unbounded preceding and 1 preceding
        ) as before
      from (
        select s.room, coalesce(r.head, 0) as head,
          case when s.made = $2 then s.seq else 0 end as done
        from search_rooms s left join rooms r on r.room = s.room where s.room = any($1::text[])
      ) as w left join lateral (
        select seq, kind, line from events where room = w.room and seq > w.done and seq <= w.head
        order by seq limit $3
      ) as e on true
      left join message_state m on m.room = w.room and m.seq = e.seq
    ) as sized where coalesce(before, 0) < $4
    order by room, seq`,
};

const TARGETS = {
  name: "search-targets",
  text: `select e.room, e.seq, e.line, m.body, m.mentions from events e
    join unnest($1::text[], $2::bigint[]) as wanted (room, seq) using (room, seq)
    left join message_state m on m.room = e.room and m.seq = e.seq`,
};

function putStatement(language: string): { name: string; text: string } {
  const hasStems = language !== NO_LANGUAGE;
  const stems = hasStems ? ` || strip(to_tsvector($6::text::regconfig, w.words))` : "";
  return {
    name: hasStems ? "search-put-stems" : "search-put",
    text: `insert into search (room, seq, at, tsv)
      select w.room, w.seq, w.at, w.vector::tsvector${stems}
      from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
        as w (room, seq, at, vector, words)
      on conflict (room, seq) do update set tsv = excluded.tsv`,
  };
}

const REMOVE = {
  name: "search-remove",
  text: `delete from search s using unnest($1::text[], $2::bigint[]) as gone (room, seq)
    where s.room = gone.room and s.seq = gone.seq`,
};

const MOVE = {
  name: "search-move",
  text: `update search_rooms s set seq = w.seq, made = $3
    from unnest($1::text[], $2::bigint[]) as w (room, seq) where s.room = w.room`,
};

/** $1 the room behind which it begins, $2 how many it looks at, $3 how they are made. */
const BEHIND = {
  name: "search-rooms-behind",
  text: `with part as materialized (
      select room, head from rooms where room > $1 order by room limit $2
    )
    select p.room, p.head - d.done as events, (select count(*)::int from part) as scanned,
      (select max(room) from part) as until
    from (select) as one left join (
      part p cross join lateral (
        select coalesce((select case when s.made = $3 then s.seq else 0 end
          from search_rooms s where s.room = p.room), 0) as done
      ) as d
    ) on p.head > d.done`,
};

interface EventRow {
  readonly room: RoomId;
  readonly head: Seq;
  /** Null: the room has no event to index. */
  readonly seq: Seq | null;
  readonly kind: string;
  readonly line: string;
  readonly body: string | null;
  readonly mentions: string | null;
}

type MessageRow = Pick<EventRow, "room" | "line" | "body" | "mentions"> & { readonly seq: Seq };

/** Whether PostgreSQL knows the language. Rejects when PostgreSQL does. */
export async function hasLanguage(pool: Pool, language: string): Promise<boolean> {
  const text = "select from pg_ts_config where cfgname = $1";
  const { rowCount } = await pool.query({ text, values: [language] });
  return rowCount !== null && rowCount > 0;
}

/** Of the next `most` rooms behind `after`, those with events to index. Rejects as PostgreSQL. */
export async function roomsBehind(
  pool: Pool,
  language: string,
  { after, most }: { readonly after: string; readonly most: number },
): Promise<RoomsBehind> {
  const { rows } = await pool.query<{
    room: RoomId | null;
    events: number;
    scanned: number;
    until: RoomId | null;
  }>({ ...BEHIND, values: [after, most, madeBy(language)] });
  const { scanned = 0, until = null } = rows[0] ?? {};
  return {
    rooms: rows.flatMap(({ room, events }) => (room === null ? [] : [{ room, events }])),
    ...(scanned === most && until !== null && { next: until }),
  };
}

/** Indexes the next events of each room. Rejects when PostgreSQL does. */
export async function indexRooms(
  pool: Pool,
  language: string,
  rooms: readonly RoomId[],
): Promise<IndexedRoom[]> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query("begin");
    const indexed = await indexWithin(client, language, rooms);
    await client.query("commit");
    return indexed;
  } catch (error: unknown) {
    // The connection may be in any state; it is not used again.
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failure);
  }
}

/** postgres-search-index.1. */
async function indexWithin(
  client: PoolClient,
  language: string,
  rooms: readonly RoomId[],
): Promise<IndexedRoom[]> {
  const sorted = textArray([...rooms].sort());
  const { rowCount } = await client.query({ ...LOCK_ROOMS, values: [sorted] });
  if (rowCount !== rooms.length) {
    await client.query({ ...BEGIN_ROOMS, values: [sorted] });
    await client.query({ ...LOCK_ROOMS, values: [sorted] });
  }
  const made = madeBy(language);
  const each = Math.max(EVENTS_MIN, Math.floor(EVENTS_MAX / rooms.length));
  const bytesEach = Math.floor(TRANSACTION_BYTES / rooms.length);
  const values = [sorted, made, each, bytesEach];
  const { rows } = await client.query<EventRow>({ ...EVENTS, values });
  const messages = new Map<string, MessageRow>();
  const named = new Map<string, readonly [RoomId, Seq]>();
  const reached = new Map<RoomId, { to: Seq; head: Seq; events: number; bytes: number }>();
  for (const { room, head, seq, kind, line, body, mentions } of rows) {
    const before = reached.get(room) ?? { to: 0, head, events: 0, bytes: 0 };
    reached.set(room, before);
    if (seq === null) continue;
    before.to = seq;
    before.events++;
    before.bytes += Buffer.byteLength(line) + Buffer.byteLength(body ?? "");
    if (kind === "msg") messages.set(keyOf(room, seq), { room, seq, line, body, mentions });
    const target = CHANGES.has(kind) ? parseObject(line)?.["target"] : undefined;
    if (Number.isSafeInteger(target)) named.set(keyOf(room, target as Seq), [room, target as Seq]);
  }
  const all = [...messages.values()];
  for (let i = 0; i < all.length; i += PUT_MAX) {
    await put(client, language, all.slice(i, i + PUT_MAX));
  }
  const missing = [...named].flatMap(([key, place]) => (messages.has(key) ? [] : [place]));
  for (let i = 0; i < missing.length; i += TARGETS_MAX) {
    await put(client, language, await targetsAt(client, missing.slice(i, i + TARGETS_MAX)));
  }
  const indexed = Array.from(reached, ([room, { to, head, events, bytes }]): IndexedRoom => {
    const isWhole = events < each && bytes < bytesEach;
    // Events in quarantine have no row, so a room that is read whole is indexed up to its head.
    return { room, to: isWhole ? head : to, head, events };
  });
  const places = [
    textArray(indexed.map(({ room }) => room)),
    int8Array(indexed.map(({ to }) => to)),
  ];
  await client.query({ ...MOVE, values: [...places, made] });
  return indexed;
}

/** The messages at these places. */
async function targetsAt(
  client: PoolClient,
  places: readonly (readonly [RoomId, Seq])[],
): Promise<readonly MessageRow[]> {
  const values = [textArray(places.map(([room]) => room)), int8Array(places.map(([, s]) => s))];
  return (await client.query<MessageRow>({ ...TARGETS, values })).rows;
}

/** postgres-search-index.2. */
async function put(
  client: PoolClient,
  language: string,
  messages: readonly MessageRow[],
): Promise<void> {
  const gone: MessageRow[] = [];
  const kept: { row: MessageRow; at: Millis; vector: string; words: string }[] = [];
  for (const row of messages) {
    const body = row.body === null ? undefined : bodyOfText(row.body);
    const mentions = mentionsOfText(row.mentions);
    const message = searchedMessage(row.line, { body, mentions });
    if (message === undefined) {
      gone.push(row);
      continue;
    }
    const words = wordsOf(message.text);
    const vector = vectorText(row.room, message, words);
    kept.push({ row, at: message.at, vector, words: words.map(({ word }) => word).join(" ") });
  }
  if (gone.length > 0) {
    const values = [textArray(gone.map(({ room }) => room)), int8Array(gone.map(({ seq }) => seq))];
    await client.query({ ...REMOVE, values });
  }
  if (kept.length === 0) return;
  const values = [
    textArray(kept.map(({ row }) => row.room)),
    int8Array(kept.map(({ row }) => row.seq)),
    int8Array(kept.map(({ at }) => at)),
    textArray(kept.map(({ vector }) => vector)),
    textArray(kept.map(({ words }) => words)),
  ];
  const stems = language === NO_LANGUAGE ? [] : [language];
  await client.query({ ...putStatement(language), values: [...values, ...stems] });
}

/** postgres-search-index.3. */
function madeBy(language: string): string {
  return `${RULES} ${language}`;
}
