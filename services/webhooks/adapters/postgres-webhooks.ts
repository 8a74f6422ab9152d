// PostgresWebhooks: stores the subscriptions, their cursors, and their undelivered events in
// PostgreSQL.
//
// Owns: the statements of the tables of migration 009. Does not own: the rows of the feed, which
// the archive writes.
//
//   postgres-webhooks.1. A cursor moves together with what its chunk leaves, in one transaction,
//        and only from where it was read (W1).
//   postgres-webhooks.2. A room event is read when it is tried: an erased one is a tombstone (C6).

import { isObject, parseObject } from "#shared/kit/json.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { wantsRoom, WEBHOOKS_MAX } from "#shared/protocol/webhooks.ts";
import type { ListedWebhook, NewWebhook, Webhook } from "#shared/protocol/webhooks.ts";
import type { Pool } from "pg";
import { CHUNK_EVENTS_MAX, CHUNK_ROWS_MAX, DEAD_MAX } from "../core/bounds.ts";
import { placesOfAll } from "../core/chunk.ts";
import type { Cursor, FeedRow, Move, Place } from "../core/chunk.ts";
import type {
  Change,
  Chunk,
  DeadRow,
  Item,
  Left,
  SessionFeed,
  Waiting,
  WebhookDesk,
  WebhookStore,
} from "../core/ports.ts";

export const SESSIONS = "sessions";

/** Rows of the feed behind the cursors, for all partitions. $1 webhook, $2 rows, $3 until. */
const FEED = `select w.partition::text as source, coalesce(c.position, 0) as from_position,
    coalesce(c.skip, 0) as skip, f.log_seq as position, extract(epoch from f.at) * 1000 as at,
    f.rooms, f.firsts, f.lasts,
    exists (select from watermarks where split_of is not null) as split
  from watermarks w
  left join webhook_cursors c on c.webhook = $1 and c.source = w.partition::text
  cross join lateral (
    select * from webhook_feed f where f.partition = w.partition and f.log_seq > coalesce(c.position, 0)
      and ($3::float8 is null or extract(epoch from f.at) * 1000 < $3)
    order by f.log_seq limit $2
  ) as f order by w.partition, f.log_seq`;

/** Quarantined events have a line too. $1 rooms, $2 numbers. */
const LINES = `select wanted.room, wanted.seq, coalesce(e.line, (
    select q.line from quarantine q where q.room = wanted.room and q.seq = wanted.seq
    order by q.n limit 1)) as line
  from unnest($1::text[], $2::bigint[]) as wanted (room, seq)
  left join events e on e.room = wanted.room and e.seq = wanted.seq`;

const WAITING = `l.n, l.lane, l.id, l.kind, extract(epoch from l.at) * 1000 as at, l.room, l.seq,
  l.attempts, extract(epoch from l.next_at) * 1000 as next_at,
  coalesce(l.payload, e.line, (
    select q.line from quarantine q where q.room = l.room and q.seq = l.seq order by q.n limit 1), '{}') as data
  from webhook_left l left join events e on e.room = l.room and e.seq = l.seq`;

interface WaitingRow {
  readonly n: number;
  readonly lane: string;
  readonly id: string;
  readonly kind: string;
  readonly at: number;
  readonly room: string | null;
  readonly seq: number | null;
  readonly attempts: number;
  readonly next_at: number;
  readonly data: string;
}

export interface PostgresWebhooksOptions {
  readonly db: Pool;
  /** Undefined: the cluster has no stream of sessions. */
  readonly sessions?: SessionFeed | undefined;
}

export class PostgresWebhooks implements WebhookStore, WebhookDesk {
  readonly #db: Pool;
  readonly #sessions: SessionFeed | undefined;

  constructor({ db, sessions }: PostgresWebhooksOptions) {
    this.#db = db;
    this.#sessions = sessions;
  }

  async subscriptions(): Promise<readonly Webhook[]> {
    const text = "select webhook::text, url, secret, kinds, rooms from webhooks order by webhook";
    return (await this.#db.query<Webhook>(text)).rows;
  }

  async chunk(webhook: Webhook, until?: number): Promise<Chunk> {
    const rows = await this.#feed(webhook, until);
    const bySource = Map.groupBy(rows, ({ source }) => source);
    const sources = Array.from(bySource, ([source, feed]) => {
      const { from_position: position = 0, skip = 0 } = feed[0] ?? {};
      return { from: { source, position, skip, ident: "" }, rows: feed };
    });
    const wants = (room: RoomId): boolean => wantsRoom(webhook, room);
    const isSplit = rows[0]?.split ?? false;
    const bounds = { most: CHUNK_EVENTS_MAX, rowsMax: CHUNK_ROWS_MAX, isSplit };
    const { places, moves } = placesOfAll(sources, wants, bounds);
    const items = await this.#itemsOf(webhook, places);
    const sessions = until === undefined ? await this.#sessionChunk(webhook) : undefined;
    return {
      items: [...items, ...(sessions?.items ?? [])],
      moves: [...moves, ...(sessions?.moves ?? [])],
    };
  }

  async #feed({ webhook, kinds }: Webhook, until: number | undefined) {
    if (!kinds.some((kind) => kind.startsWith("room."))) return [];
    const values = [webhook, CHUNK_ROWS_MAX, until ?? null];
    const named = { name: "webhook-feed", text: FEED, values };
    type Row = FeedRow & {
      readonly from_position: number;
      readonly skip: number;
      readonly split: boolean;
    };
    return (await this.#db.query<Row>(named)).rows;
  }

  async #itemsOf({ kinds }: Webhook, places: readonly Place[]): Promise<Item[]> {
    if (places.length === 0) return [];
    const values = [places.map(({ room }) => room), places.map(({ seq }) => seq)];
    const found = await this.#db.query<Place & { readonly line: string | null }>({
      name: "webhook-lines",
      text: LINES,
      values,
    });
    const lines = new Map(found.rows.map(({ room, seq, line }) => [`${room} ${seq}`, line]));
    return places.flatMap(({ room, seq, at }): Item[] => {
      const line = lines.get(`${room} ${seq}`) ?? undefined;
      const event = line === undefined ? undefined : parseObject(line);
      if (line === undefined || event === undefined) return [];
      const kind = `room.${String(event["t"])}`;
      if (!kinds.includes(kind)) return [];
      const id = `room_${room}_${seq}_${String(event["id"])}`;
      return [{ lane: room, id, kind, at, data: line, place: { room, seq } }];
    });
  }

  async #sessionChunk({ webhook, kinds }: Webhook): Promise<Chunk | undefined> {
    if (this.#sessions === undefined) return undefined;
    if (!kinds.some((kind) => kind.startsWith("session."))) return undefined;
    const text = `select position, skip, ident from webhook_cursors where webhook = $1 and source = $2`;
    const { rows } = await this.#db.query<Cursor>(text, [webhook, SESSIONS]);
    const from = { skip: 0, position: 0, ident: "", ...rows[0], source: SESSIONS };
    const { ident, position, records } = await this.#sessions.read(from, CHUNK_EVENTS_MAX);
    if (ident === from.ident && position === from.position) return undefined;
    const items = records
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ seq, user, kind, at, data }): Item => {
        // A lane beside those of rooms: a user id may look like a room id.
        return { lane: `user ${user}`, id: `session_${ident}_${seq}`, kind, at, data };
      });
    return { items, moves: [{ from, to: { ...from, ident, position } }] };
  }

  async waitingLanes(webhook: string, lanes: readonly string[]): Promise<ReadonlySet<string>> {
    if (lanes.length === 0) return new Set();
    const text = `select distinct lane from webhook_left
      where webhook = $1 and not dead and lane = any($2::text[])`;
    const { rows } = await this.#db.query<{ lane: string }>(text, [webhook, lanes]);
    return new Set(rows.map(({ lane }) => lane));
  }

  async due(webhook: string, now: number, most: number): Promise<readonly Waiting[]> {
    const text = `select ${WAITING} join (
        select n from (
          select distinct on (lane) n, next_at from webhook_left
          where webhook = $1 and not dead order by lane, n
        ) as firsts where $2::float8 is null or extract(epoch from next_at) * 1000 <= $2
        order by next_at limit $3
      ) as due using (n)`;
    const values = [webhook, Number.isFinite(now) ? now : null, most];
    return (await this.#db.query<WaitingRow>(text, values)).rows.map(waitingOf);
  }

  async nextOf(webhook: string, lane: string): Promise<Waiting | undefined> {
    const text = `select ${WAITING} where l.webhook = $1 and l.lane = $2 and not l.dead
      order by l.n limit 1`;
    const { rows } = await this.#db.query<WaitingRow>(text, [webhook, lane]);
    return rows.map(waitingOf)[0];
  }

  async waiting(webhook: string): Promise<{ readonly count: number; readonly nextAt: number }> {
    const text = `select count(*)::int as count, extract(epoch from min(next_at)) * 1000 as next
      from webhook_left where webhook = $1 and not dead`;
    const { rows } = await this.#db.query<{ count: number; next: number | null }>(text, [webhook]);
    return { count: rows[0]?.count ?? 0, nextAt: rows[0]?.next ?? Infinity };
  }

  async advance(webhook: string, moves: readonly Move[], left: readonly Left[]): Promise<boolean> {
    const client = await this.#db.connect();
    let failure: Error | undefined;
    try {
      await client.query("begin");
      const { rowCount } = await client.query(ADVANCE, [webhook, ...columnsOf(moves)]);
      const isMine = rowCount === moves.length;
      if (isMine && left.length > 0) await client.query(LEAVE, [webhook, ...leftColumns(left)]);
      await client.query(isMine ? "commit" : "rollback");
      return isMine;
    } catch (error: unknown) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.release(failure);
    }
  }

  async delivered(n: number): Promise<void> {
    await this.#db.query("delete from webhook_left where n = $1 and not dead", [n]);
  }

  async failed(n: number, attempts: number, nextAt: number, reason: string): Promise<void> {
    const text = `update webhook_left set attempts = $2, next_at = to_timestamp($3), reason = $4
      where n = $1`;
    await this.#db.query(text, [n, attempts, nextAt / 1_000, reason]);
  }

  async hurry(webhook: string): Promise<void> {
    const text = "update webhook_left set next_at = now() where webhook = $1 and next_at > now()";
    await this.#db.query(`${text} and not dead`, [webhook]);
  }

  async bury(webhook: string, until: number): Promise<number> {
    const text = `update webhook_left set dead = true
      where webhook = $1 and not dead and at < to_timestamp($2)`;
    const { rowCount } = await this.#db.query(text, [webhook, until / 1_000]);
    await this.#db.query(FORGET, [webhook, DEAD_MAX]);
    return rowCount ?? 0;
  }

  async prune(): Promise<void> {
    await this.#db.query(PRUNE);
  }

  async add(webhook: NewWebhook, sessions: Cursor | undefined): Promise<Change> {
    const { webhook: id, url, secret, kinds, rooms, author } = webhook;
    const client = await this.#db.connect();
    try {
      await client.query("begin");
      await client.query("lock table webhooks in share row exclusive mode"); // For the count.
      const text = `insert into webhooks (webhook, url, secret, kinds, rooms, author)
        select $1::uuid, $2, $3, $4, $5, $6 where (select count(*) from webhooks) < $7`;
      const values = [id, url, secret, kinds, rooms, author, WEBHOOKS_MAX];
      const { rowCount } = await client.query(text, values);
      if (rowCount === 1) {
        await client.query(BEGIN_CURSORS, [id]);
        if (sessions !== undefined) {
          const { position, ident } = sessions;
          await client.query(BEGIN_SESSIONS, [id, SESSIONS, position, ident]);
        }
      }
      await client.query("commit");
      return rowCount === 1 ? { kind: "ok" } : { kind: "full" };
    } catch (error: unknown) {
      await client.query("rollback").catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  async list(): Promise<readonly ListedWebhook[]> {
    type Row = Omit<ListedWebhook, "behindMs"> & { readonly behind: number | null };
    const { rows } = await this.#db.query<Row>(LIST);
    return rows.map(({ behind, reason, ...row }) => ({
      ...row,
      behindMs: Math.max(0, Math.round(behind ?? 0)),
      ...(typeof reason === "string" && { reason }),
    }));
  }

  async remove(webhook: string): Promise<Change> {
    const text = "delete from webhooks where webhook = $1";
    const { rowCount } = await this.#db.query(text, [webhook]);
    return rowCount === 1 ? { kind: "ok" } : { kind: "missing" };
  }

  async #isThere(webhook: string): Promise<boolean> {
    const { rowCount } = await this.#db.query("select from webhooks where webhook = $1", [webhook]);
    return rowCount === 1;
  }

  async dead(
    webhook: string,
    after: number,
    most: number,
  ): Promise<readonly DeadRow[] | undefined> {
    if (!(await this.#isThere(webhook))) return undefined;
    const text = `select n, id, kind, round(extract(epoch from at) * 1000)::float8 as at, attempts,
      reason from webhook_left where webhook = $1 and dead and n > $2 order by n limit $3`;
    return (await this.#db.query<DeadRow>(text, [webhook, after, most])).rows;
  }

  async replay(webhook: string, ids: readonly string[] | undefined): Promise<number | undefined> {
    if (!(await this.#isThere(webhook))) return undefined;
    const text = `update webhook_left set dead = false, attempts = 0, next_at = now(), at = now()
      where webhook = $1 and dead and ($2::text[] is null or id = any($2))`;
    return (await this.#db.query(text, [webhook, ids ?? null])).rowCount ?? 0;
  }
}

/** $1 webhook, then columnsOf. A source without a cursor begins at 0. */
const ADVANCE = `insert into webhook_cursors as c (webhook, source, position, skip, ident)
  select $1::uuid, m.source, m.position, m.skip, m.ident
  from unnest($2::text[], $3::bigint[], $4::int[], $5::bigint[], $6::int[], $7::text[])
    as m (source, from_position, from_skip, position, skip, ident)
  on conflict (webhook, source) do update
    set position = excluded.position, skip = excluded.skip, ident = excluded.ident
    where (c.source, c.position, c.skip) in (
      select source, from_position, from_skip
      from unnest($2::text[], $3::bigint[], $4::int[]) as f (source, from_position, from_skip))`;

function columnsOf(moves: readonly Move[]): unknown[] {
  return [
    moves.map(({ from }) => from.source),
    moves.map(({ from }) => from.position),
    moves.map(({ from }) => from.skip),
    moves.map(({ to }) => to.position),
    moves.map(({ to }) => to.skip),
    moves.map(({ to }) => to.ident),
  ];
}

/** In the order of the chunk, so that the numbers `n` of a lane ascend. */
const LEAVE = `insert into webhook_left
    (webhook, lane, id, kind, at, room, seq, payload, attempts, next_at, dead, reason)
  select $1::uuid, lane, id, kind, to_timestamp(at), room, seq, payload, attempts,
    to_timestamp(next_at), dead, reason
  from unnest($2::text[], $3::text[], $4::text[], $5::float8[], $6::text[], $7::bigint[],
      $8::text[], $9::int[], $10::float8[], $11::boolean[], $12::text[])
    with ordinality as l
      (lane, id, kind, at, room, seq, payload, attempts, next_at, dead, reason, place)
  order by place
  on conflict (webhook, id) do nothing`;

function leftColumns(left: readonly Left[]): unknown[] {
  return [
    left.map(({ item }) => item.lane),
    left.map(({ item }) => item.id),
    left.map(({ item }) => item.kind),
    left.map(({ item }) => item.at / 1_000),
    left.map(({ item }) => item.place?.room ?? null),
    left.map(({ item }) => item.place?.seq ?? null),
    left.map(({ item }) => (item.place === undefined ? item.data : null)),
    left.map(({ attempts }) => attempts),
    left.map(({ nextAt }) => nextAt / 1_000),
    left.map(({ dead }) => dead),
    left.map(({ reason }) => reason),
  ];
}

/** $1 webhook, $2 dead letters that stay. */
const FORGET = `delete from webhook_left where webhook = $1 and dead and n <= (
  select n from webhook_left where webhook = $1 and dead order by n desc offset $2 limit 1)`;

/** A subscription of sessions alone has no use for the feed, and keeps none of it. */
const ROOM_WEBHOOKS = `(select * from webhooks where exists (
  select from unnest(kinds) as kind where kind like 'room.%'))`;

const PRUNE = `with done as (
    select p.partition, min(coalesce(c.position, 0)) as position
    from watermarks p cross join ${ROOM_WEBHOOKS} as w
    left join webhook_cursors c on c.webhook = w.webhook and c.source = p.partition::text
    group by p.partition
  )
  delete from webhook_feed f
  where not exists (select from ${ROOM_WEBHOOKS} as w)
  or exists (select from done d where d.partition = f.partition and f.log_seq <= d.position)`;

const BEGIN_CURSORS = `insert into webhook_cursors (webhook, source, position)
  select $1, partition::text, seq from watermarks`;
const BEGIN_SESSIONS = `insert into webhook_cursors (webhook, source, position, ident)
  values ($1, $2, $3, $4)`;

/** `behind`: the age of the oldest row of the feed behind a cursor. */
const LIST = `select w.webhook::text, w.url, w.kinds, w.rooms, w.author,
    round(extract(epoch from w.created) * 1000)::float8 as created,
    (select count(*)::int from webhook_left l where l.webhook = w.webhook and not dead) as waiting,
    (select count(*)::int from webhook_left l where l.webhook = w.webhook and dead) as dead,
    (select reason from webhook_left l where l.webhook = w.webhook and reason <> ''
      order by next_at desc limit 1) as reason,
    extract(epoch from now() - least(
      (select min(at) from webhook_left l where l.webhook = w.webhook and not dead),
      (select min(oldest.at) from watermarks p
        left join webhook_cursors c on c.webhook = w.webhook and c.source = p.partition::text
        cross join lateral (
          select at from webhook_feed f
          where f.partition = p.partition and f.log_seq > coalesce(c.position, 0)
          order by f.log_seq limit 1) as oldest
        where exists (select from unnest(w.kinds) as kind where kind like 'room.%')))) * 1000 as behind
  from webhooks w order by w.created, w.webhook`;

function waitingOf(row: WaitingRow): Waiting {
  const { n, lane, id, kind, attempts, room, seq } = row;
  const data = isObject(parseObject(row.data)) ? row.data : "{}";
  const place = room === null || seq === null ? {} : { place: { room, seq } };
  return { n, lane, id, kind, attempts, data, at: row.at, nextAt: row.next_at, ...place };
}
