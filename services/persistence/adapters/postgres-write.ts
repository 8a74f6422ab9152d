// PostgresWrite: writes one batch with its watermark in one transaction.
//
// The fast way is a single statement: one round trip, one commit, one fsync for up to 2,000 events.
// It inserts without `on conflict`, which costs a third less (measured) and is correct for a batch
// that continues the watermark: none of its events can be stored already. When PostgreSQL refuses
// it, the batch is written the slow way: a transaction with savepoints that halves the batch until
// only the refused event is left (D4).
//
// A batch that changes the state of a room takes a longer statement (postgres-state.ts), and so
// does one with mentions (postgres-room-list.ts). A batch that changes messages is written the slow
// way, which folds them (postgres-messages.ts), and so is one with attachments. So all other
// batches cost what they did without rooms with members and changes.
//
// PostgreSQL guarantees that all parts of a statement with data-modifying CTEs see one snapshot and
// commit together. The row lock on the watermark makes a second runner wait and then find no row.

import type { Pool, PoolClient } from "pg";
import type {
  ArchiveBatch,
  ArchiveEvent,
  UnreadText,
  WriteOutcome,
} from "#shared/ports/archive.ts";
import { mentionsIn } from "#shared/kit/mentions.ts";
import { changesOfMessages, eraseWithin } from "#shared/kit/message-fold.ts";
import { stateChangesOf } from "#shared/kit/state-changes.ts";
import type { RoomId, Seq } from "#shared/protocol/ids.ts";
import { isSameEvent } from "#shared/protocol/tombstone.ts";
import { int8Array, textArray } from "./pg-arrays.ts";
import { attachmentUsesIn, linkAttachments } from "./postgres-attachments.ts";
import { eventColumns, headColumns, headsOf, encodingProblemOf } from "./postgres-batch.ts";
import { refusalOf } from "./postgres-errors.ts";
import { FEED_BATCH, feedBatch } from "./postgres-feed.ts";
import { foldMessages } from "./postgres-messages.ts";
import { insertMentions, mentionColumns, STORE_MENTIONS } from "./postgres-room-list.ts";
import { mergeInvites } from "./postgres-invites.ts";
import { memberColumns, mergeMembers, settingsColumns, settingsTable } from "./postgres-state.ts";

const EVENTS = `unnest($1::text[], $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::bigint[],
  $7::text[])`;
const COLUMNS = "(room, seq, kind, id, sender, at, line)";
const HEADS = `insert into rooms as r (room, born, head, last_at)`;
const HEADS_MERGE = `on conflict (room) do update set
  head = greatest(r.head, excluded.head),
  last_at = greatest(r.last_at, excluded.last_at),
  born = case when r.born = '' then excluded.born else r.born end`;
const MOVE = `update watermarks set seq = $2, epoch = $3,
  released = case when $5 then $2 else released end where partition = $1 and seq = $4`;

/** archive.6. $1 the partition, $2 its new `of`. */
const SPLIT = `update watermarks set split_of = $2 where partition = $1`;
/** archive.6. A claim may have created the row, with seq 0. */
const BEGIN_UPPER_HALF = `insert into watermarks as w (partition, seq, epoch, released)
  values ($1, 1, 0, 1) on conflict (partition) do update set seq = 1, released = 1 where w.seq = 0`;

const SETTINGS_MERGE = ["kind", "title", "settings", "settings_seq"].map(
  (column) => `${column} = case when excluded.settings_seq > r.settings_seq
    then excluded.${column} else r.${column} end`,
);

/** The columns of every batch, and those of states. Mentions follow behind both. */
const PLAIN_COLUMNS = 16;
const STATE_COLUMNS = 13;

/** The fast way, for a batch with or without states and mentions (postgres-state.ts). */
function writeAllStatement(
  hasState: boolean,
  hasMentions: boolean,
): { name: string; text: string } {
  const own = PLAIN_COLUMNS + 1;
  const heads = `unnest($8::text[], $9::text[], $10::bigint[], $11::bigint[])`;
  const isMoved = "where exists (select from moved)";
  const plainHeads = `${HEADS} select * from ${heads} ${isMoved} ${HEADS_MERGE}`;
  const stateHeads = `
    insert into rooms as r (room, born, head, last_at, kind, title, settings, settings_seq)
    select h.room, h.born, h.head, h.last_at, coalesce(s.kind, 'open'), coalesce(s.title, ''),
      coalesce(s.settings::jsonb, '{}'), coalesce(s.seq, 0)
    from ${heads} as h (room, born, head, last_at)
    left join ${settingsTable(own)} on s.room = h.room
    ${isMoved} ${HEADS_MERGE}, ${SETTINGS_MERGE.join(", ")}`;
  const parts = [
    `moved as (
    update watermarks set seq = $13, epoch = $14,
      released = case when $16 then $13 else released end
    where partition = $12 and seq = $15 returning 1
  )`,
    `stored as (insert into events ${COLUMNS} select * from ${EVENTS} ${isMoved})`,
    `heads as (${hasState ? stateHeads : plainHeads})`,
    `fed as (${FEED_BATCH} and exists (select from moved))`,
    ...(hasState ? [`changed as (${mergeMembers(own + 5, isMoved)})`] : []),
    ...(hasMentions
      ? [`mentioned as (${insertMentions(own + (hasState ? STATE_COLUMNS : 0), isMoved)})`]
      : []),
  ];
  const name = ["write-all", ...(hasState ? ["state"] : []), ...(hasMentions ? ["mentions"] : [])];
  const text = `with ${parts.join(", ")} select count(*)::int as moved from moved`;
  return { name: name.join("-"), text };
}

const WRITE_ALL = {
  plain: writeAllStatement(false, false),
  state: writeAllStatement(true, false),
  mentions: writeAllStatement(false, true),
  both: writeAllStatement(true, true),
};

function writeAllOf(hasState: boolean, hasMentions: boolean): { name: string; text: string } {
  if (hasMentions) return hasState ? WRITE_ALL.both : WRITE_ALL.mentions;
  return hasState ? WRITE_ALL.state : WRITE_ALL.plain;
}

const MERGE_SETTINGS = {
  name: "merge-settings",
  text: `update rooms r set kind = s.kind, title = s.title, settings = s.settings::jsonb,
    settings_seq = s.seq from ${settingsTable(1)} where r.room = s.room and r.settings_seq < s.seq`,
};

const MERGE_MEMBERS = { name: "merge-members", text: mergeMembers(1) };

const STORE_SOME = {
  name: "store-some",
  text: `insert into events ${COLUMNS} select * from ${EVENTS}
    on conflict do nothing returning room, seq`,
};

const MERGE_HEADS = {
  name: "merge-heads",
  text: `${HEADS} select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    ${HEADS_MERGE}`,
};

const HEADS_BEFORE = {
  name: "heads-before",
  text: `select room, head from rooms where room = any($1::text[])`,
};

const STANDING = {
  name: "standing",
  text: `select e.room, e.seq, e.line from events e
    join unnest($1::text[], $2::bigint[]) as wanted (room, seq) using (room, seq)`,
};

const QUARANTINE = {
  name: "quarantine",
  text: `insert into quarantine (partition, log_seq, room, seq, line, reason)
    select $1::int, $2::bigint, $3::text, $4::bigint, $5::text, $6::text
    where not exists (
      select from quarantine where partition = $1 and line = $5
      and room is not distinct from $3 and seq is not distinct from $4)`,
};

/** Rejects when the outcome is uncertain. */
export async function writeBatch(pool: Pool, batch: ArchiveBatch): Promise<WriteOutcome> {
  const isPlain = batch.unread === undefined && !batch.events.some(encodingProblemOf);
  const hasNoChange = changesOfMessages(batch.events) === undefined;
  const isSimple = batch.splits === undefined && hasNoChange && !hasAttachments(batch.events);
  if (isPlain && isSimple) {
    const outcome = await writeAll(pool, batch);
    if (outcome !== "refused") return outcome;
  }
  return writeWithCare(pool, batch);
}

function hasAttachments(events: readonly ArchiveEvent[]): boolean {
  return attachmentUsesIn(events) !== undefined;
}

async function writeAll(pool: Pool, batch: ArchiveBatch): Promise<WriteOutcome | "refused"> {
  const { p, from, to, epoch, events, isReleased = false } = batch;
  const columns = [...eventColumns(events), ...headColumns(headsOf(batch))];
  const changes = stateChangesOf(events);
  if (changes !== undefined && changes.invites.length > 0) return "refused"; // The slow way.
  const values = [...columns, p, to, epoch, from, isReleased];
  if (changes !== undefined) values.push(...settingsColumns(changes), ...memberColumns(changes));
  const mentions = mentionsIn(events);
  if (mentions !== undefined) values.push(...mentionColumns(mentions));
  const statement = writeAllOf(changes !== undefined, mentions !== undefined);
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { rows } = await pool.query<{ moved: number }>({ ...statement, values });
      if (rows[0]?.moved === 1) return { kind: "ok", quarantined: 0 };
      if (from !== 0 || !isFirst) return { kind: "moved" };
      await beginPartition(pool, p); // Or a claim has created its row just now.
    }
  } catch (error: unknown) {
    if (refusalOf(error) !== undefined) return "refused";
    throw error;
  }
}

async function beginPartition(db: Pool | PoolClient, p: number): Promise<void> {
  const text =
    "insert into watermarks (partition, seq, epoch) values ($1, 0, 0) on conflict do nothing";
  await db.query({ name: "begin-partition", text, values: [p] });
}

async function writeWithCare(pool: Pool, batch: ArchiveBatch): Promise<WriteOutcome> {
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    return await new CarefulWrite(client, batch).run();
  } catch (error: unknown) {
    // The connection may be in any state; it is not used again.
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failure);
  }
}

class CarefulWrite {
  readonly #client: PoolClient;
  readonly #batch: ArchiveBatch;
  #quarantined = 0;

  constructor(client: PoolClient, batch: ArchiveBatch) {
    this.#client = client;
    this.#batch = batch;
  }

  async run(): Promise<WriteOutcome> {
    const { p, from, to, epoch, events, unread = [], isReleased = false } = this.#batch;
    const { splits = [] } = this.#batch;
    await this.#client.query("begin");
    if (from === 0) await beginPartition(this.#client, p);
    const moved = await this.#client.query(MOVE, [p, to, epoch, from, isReleased]);
    if (moved.rowCount !== 1) {
      await this.#client.query("rollback");
      return { kind: "moved" };
    }
    for (const of of splits) {
      await this.#client.query(SPLIT, [p, of]);
      await this.#client.query(BEGIN_UPPER_HALF, [p + of / 2]);
    }
    for (const text of unread) await this.#quarantine(text);
    const encodable: ArchiveEvent[] = [];
    for (const event of events) {
      const reason = encodingProblemOf(event);
      if (reason === undefined) encodable.push(event);
      else await this.#refuse(event, reason);
    }
    await feedBatch(this.#client, this.#batch);
    const changes = changesOfMessages(encodable) ?? [];
    const fresh = await this.#above(changes); // Before the heads move.
    const uses = await this.#above(attachmentUsesIn(encodable) ?? []);
    const mentions = await this.#above(mentionsIn(encodable) ?? []); // mentions.3
    await this.#store(eraseWithin(encodable, changes));
    await this.#client.query({ ...MERGE_HEADS, values: headColumns(headsOf(this.#batch)) });
    await this.#mergeState(encodable);
    if (mentions.length > 0) {
      await this.#client.query({ ...STORE_MENTIONS, values: mentionColumns(mentions) });
    }
    if (uses.length > 0) await linkAttachments(this.#client, uses); // Before a deletion of them.
    if (fresh.length > 0) await foldMessages(this.#client, fresh);
    await this.#client.query("commit");
    return { kind: "ok", quarantined: this.#quarantined };
  }

  /** The changes above the heads that the archive has (message-fold.2). */
  async #above<T extends Place>(changes: readonly T[]): Promise<readonly T[]> {
    if (changes.length === 0) return changes;
    const values = [textArray([...new Set(changes.map(({ room }) => room))])];
    const { rows } = await this.#client.query<RoomHead>({ ...HEADS_BEFORE, values });
    const heads = new Map(rows.map(({ room, head }) => [room, head]));
    return changes.filter(({ room, seq }) => seq > (heads.get(room) ?? 0));
  }

  /** Also for an event that went to quarantine: its number is taken, and its sender has its ack. */
  async #mergeState(events: readonly ArchiveEvent[]): Promise<void> {
    const changes = stateChangesOf(events);
    if (changes === undefined) return;
    await this.#client.query({ ...MERGE_SETTINGS, values: settingsColumns(changes) });
    await this.#client.query({ ...MERGE_MEMBERS, values: memberColumns(changes) });
    await mergeInvites(this.#client, changes);
  }

  async #store(events: readonly ArchiveEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.#client.query("savepoint part");
    let reason: string | undefined;
    try {
      const values = eventColumns(events);
      const { rows } = await this.#client.query<Place>({ ...STORE_SOME, values });
      await this.#client.query("release savepoint part");
      if (rows.length < events.length) await this.#explainMissing(events, rows);
      return;
    } catch (error: unknown) {
      reason = refusalOf(error);
      if (reason === undefined) throw error;
    }
    await this.#client.query("rollback to savepoint part");
    await this.#client.query("release savepoint part");
    const [first] = events;
    if (events.length === 1 && first !== undefined) return this.#refuse(first, reason);
    const half = Math.ceil(events.length / 2);
    await this.#store(events.slice(0, half));
    await this.#store(events.slice(half));
  }

  /**
   * An event that was not inserted is either stored already and equal (D3), or refused with a
   * reason.
   */
  async #explainMissing(events: readonly ArchiveEvent[], stored: readonly Place[]): Promise<void> {
    const known = new Set(stored.map(nameOf));
    const missing = events.filter((event) => !known.has(nameOf(event)));
    const values = [
      textArray(missing.map((event) => event.room)),
      int8Array(missing.map((event) => event.seq)),
    ];
    const { rows } = await this.#client.query<Place & { line: string }>({ ...STANDING, values });
    const standing = new Map(rows.map((row) => [nameOf(row), row.line]));
    for (const event of missing) {
      const line = standing.get(nameOf(event));
      if (line !== undefined && isSameEvent(line, event.line)) continue; // archive.9
      const reason =
        line === undefined
          ? "this id has another sequence number"
          : "another event has this sequence number";
      await this.#refuse(event, reason);
    }
  }

  #refuse({ room, seq, line: text }: ArchiveEvent, reason: string): Promise<void> {
    return this.#quarantine({ entry: this.#batch.to, place: { room, seq }, text, reason });
  }

  async #quarantine({ entry, place, text, reason }: UnreadText): Promise<void> {
    const values = [
      this.#batch.p,
      entry,
      place?.room,
      place?.seq,
      storable(text),
      storable(reason),
    ];
    const { rowCount } = await this.#client.query({ ...QUARANTINE, values });
    this.#quarantined += rowCount ?? 0;
  }
}

interface RoomHead {
  readonly room: RoomId;
  readonly head: Seq;
}

interface Place {
  readonly room: RoomId;
  readonly seq: Seq;
}

function nameOf({ room, seq }: Place): string {
  return `${room} ${seq}`;
}

/**
 * Quarantine accepts every text; characters that a text column cannot hold are replaced visibly.
 */
function storable(text: string): string {
  return text.replaceAll("\u0000", "\uFFFD").toWellFormed();
}
