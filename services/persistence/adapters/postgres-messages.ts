// PostgresMessages: the present state of messages: its fold in the transaction of a batch, and the
// pages of messages.
//
// Owns: the statements on `message_state` and `reactions`, and the rewriting of erased lines. Does
// not own: the fold (shared/kit/message-fold.ts), the text of a message (message-view.ts).
//
//   postgres-messages.1. The fold reads the states of the batch's messages, folds them in memory
//        and writes them back. The row lock on the watermark keeps other writers of the partition
//        away until the commit.
//   postgres-messages.2. A page is one statement, so its messages and its head are of one moment. A
//        page of the main line reads at most SCAN_MAX numbers; the others read an index. The newest
//        pages of several rooms are one statement, too.

import type { Pool, PoolClient } from "pg";
import { mentionedBy, mentionsOfLine, mentionsOfText } from "#shared/kit/mentions.ts";
import type { MentionsChange } from "#shared/kit/mentions.ts";
import { bodyOfText, keyOf, MessageFold, targetsOf } from "#shared/kit/message-fold.ts";
import type { Erased, MessageState } from "#shared/kit/message-fold.ts";
import { cutPage, messageText, scanOf, SCAN_MAX } from "#shared/kit/message-view.ts";
import type { Reaction } from "#shared/kit/message-view.ts";
import type { Mentions, ReactedEvent, RoomEvent } from "#shared/protocol/events.ts";
import type { MessagesPage, MessagesQuery } from "#shared/protocol/history.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { REACTION_NAMES_MAX } from "#shared/protocol/limits.ts";
import { tombstoneOf } from "#shared/protocol/tombstone.ts";
import { int8Array, textArray } from "./pg-arrays.ts";
import { eraseAttachments } from "./postgres-attachments.ts";
import { END_MENTIONS, mentionColumns, STORE_MENTIONS } from "./postgres-room-list.ts";

interface StateRow {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly thread: Seq;
  readonly edited_seq: Seq;
  readonly edited_at: Millis;
  readonly body: string | null;
  readonly edits: readonly Seq[];
  readonly mentions: string | null;
  readonly deleted_seq: Seq;
  readonly deleted_by: UserId;
  readonly deleted_at: Millis;
  readonly replies: number;
  readonly last_reply: Seq;
  readonly pinned_seq: Seq;
  readonly pinned: boolean;
}

const STATE = `thread, edited_seq, edited_at, body, edits, mentions, deleted_seq, deleted_by,
  deleted_at, replies, last_reply, pinned_seq, pinned`;

const STATES = {
  name: "message-states",
  text: `select s.room, s.seq, ${STATE} from message_state s
    join unnest($1::text[], $2::bigint[]) as wanted (room, seq) using (room, seq)`,
};

const PUT_STATES = {
  name: "put-message-states",
  text: `insert into message_state (room, seq, ${STATE})
    select room, seq, ${STATE} from jsonb_to_recordset($1::jsonb) as s (
      room text, seq bigint, thread bigint, edited_seq bigint, edited_at bigint, body text,
      edits jsonb, mentions text, deleted_seq bigint, deleted_by text, deleted_at bigint, replies bigint,
      last_reply bigint, pinned_seq bigint, pinned boolean)
    on conflict (room, seq) do update set ${STATE.split(",")
      .map((column) => `${column.trim()} = excluded.${column.trim()}`)
      .join(", ")}`,
};

const PUT_REACTIONS = {
  name: "put-reactions",
  text: `insert into reactions as r (room, target, emoji, member, seq, is_on)
    select c.room, c.target, c.emoji, c.member, c.seq, c.is_on = 1
    from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
      as c (room, target, emoji, member, seq, is_on)
    on conflict (room, target, emoji, member) do update
      set seq = excluded.seq, is_on = excluded.is_on where r.seq < excluded.seq`,
};

interface LineRow {
  readonly room: RoomId;
  readonly seq: Seq;
  readonly line: string;
}

const LINES = {
  name: "lines-to-erase",
  text: `select e.room, e.seq, e.line from events e
    join unnest($1::text[], $2::bigint[]) as wanted (room, seq) using (room, seq)`,
};

const ERASE = {
  name: "erase-lines",
  text: `update events e set line = u.line
    from unnest($1::text[], $2::bigint[], $3::text[]) as u (room, seq, line)
    where e.room = u.room and e.seq = u.seq`,
};

const LOST_LINES = {
  name: "quarantined-lines-to-erase",
  text: `select q.n, q.room, q.seq, q.line from quarantine q
    join unnest($1::text[], $2::bigint[]) as wanted (room, seq) using (room, seq)`,
};

const ERASE_LOST = {
  name: "erase-quarantined-lines",
  text: `update quarantine q set line = u.line
    from unnest($1::bigint[], $2::text[]) as u (n, line) where q.n = u.n`,
};

/**
 * Folds the changes, which are above the heads that the archive had (message-fold.2). Rejects when
 * PostgreSQL does.
 */
export async function foldMessages(
  client: PoolClient,
  changes: readonly RoomEvent[],
): Promise<void> {
  const states = new Map<string, MessageState>();
  await loadStates(client, states, targetsOf(changes));
  // The deletion of a reply changes the root of its thread.
  const roots = [...states].flatMap(([key, { thread }]): (readonly [RoomId, Seq])[] =>
    thread > 0 ? [[key.slice(0, key.indexOf(" ")) as RoomId, thread]] : [],
  );
  await loadStates(client, states, roots);
  const fold = new MessageFold(states);
  for (const change of changes) fold.take(change);
  const rows = fold.changed.map(([room, seq, state]) => ({ room, seq, ...rowOf(state) }));
  if (rows.length > 0) await client.query({ ...PUT_STATES, values: [JSON.stringify(rows)] });
  if (fold.reactions.length > 0) {
    await client.query({ ...PUT_REACTIONS, values: reactionColumns(fold.reactions) });
  }
  if (fold.mentions.length > 0) await moveMentions(client, fold.mentions);
  if (fold.erased.length === 0) return;
  await eraseLines(client, fold.erased);
  await eraseAttachments(client, fold.erased);
}

async function loadStates(
  client: PoolClient,
  states: Map<string, MessageState>,
  wanted: readonly (readonly [RoomId, Seq])[],
): Promise<void> {
  const missing = wanted.filter(([room, seq]) => !states.has(keyOf(room, seq)));
  if (missing.length === 0) return;
  const values = [textArray(missing.map(([room]) => room)), int8Array(missing.map(([, s]) => s))];
  const { rows } = await client.query<StateRow>({ ...STATES, values });
  for (const row of rows) states.set(keyOf(row.room, row.seq), stateOf(row));
}

/** The mentions of the lines and of the edits before, which the transaction has stored, end. */
async function moveMentions(client: PoolClient, changes: readonly MentionsChange[]): Promise<void> {
  const first = changes.filter(({ before }) => before === undefined);
  const lines = new Map<string, Mentions | undefined>();
  if (first.length > 0) {
    const places = [
      textArray(first.map(({ room }) => room)),
      int8Array(first.map(({ seq }) => seq)),
    ];
    for (const statement of [LINES, LOST_LINES]) {
      const { rows } = await client.query<LineRow>({ ...statement, values: places });
      for (const { room, seq, line } of rows) {
        const key = keyOf(room, seq);
        if (!lines.has(key)) lines.set(key, mentionsOfLine(line));
      }
    }
  }
  const ended = changes.flatMap(({ room, seq, sender, before = lines.get(keyOf(room, seq)) }) =>
    mentionedBy(before, sender).map((user) => ({ room, seq, user })),
  );
  const begun = changes.flatMap(({ room, seq, sender, now }) =>
    mentionedBy(now, sender).map((user) => ({ room, seq, user })),
  );
  if (ended.length > 0) await client.query({ ...END_MENTIONS, values: mentionColumns(ended) });
  if (begun.length > 0) await client.query({ ...STORE_MENTIONS, values: mentionColumns(begun) });
}

/** archive.9. */
async function eraseLines(client: PoolClient, erased: readonly Erased[]): Promise<void> {
  const deletions = new Map(erased.map((one) => [keyOf(one.room, one.seq), one.deletion]));
  const places = [
    textArray(erased.map(({ room }) => room)),
    int8Array(erased.map(({ seq }) => seq)),
  ];
  const redact = <R extends LineRow>(row: R): R[] => {
    const deletion = deletions.get(keyOf(row.room, row.seq));
    const line = deletion && tombstoneOf(row.line, deletion);
    return line === undefined ? [] : [{ ...row, line }];
  };
  const stored = await client.query<LineRow>({ ...LINES, values: places });
  const lines = stored.rows.flatMap(redact);
  if (lines.length > 0) {
    const values = [
      textArray(lines.map(({ room }) => room)),
      int8Array(lines.map(({ seq }) => seq)),
      textArray(lines.map(({ line }) => line)),
    ];
    await client.query({ ...ERASE, values });
  }
  const lost = await client.query<LineRow & { n: number }>({ ...LOST_LINES, values: places });
  const texts = lost.rows.flatMap(redact);
  if (texts.length === 0) return;
  const values = [int8Array(texts.map(({ n }) => n)), textArray(texts.map(({ line }) => line))];
  await client.query({ ...ERASE_LOST, values });
}

function rowOf(state: MessageState): object {
  const { thread, edit, edits, mentions, deletion, replies, lastReply, pin } = state;
  return {
    thread,
    edited_seq: edit?.seq ?? 0,
    edited_at: edit?.at ?? 0,
    body: edit === undefined ? null : JSON.stringify(edit.body),
    edits,
    mentions: mentions === undefined ? null : JSON.stringify(mentions),
    deleted_seq: deletion?.seq ?? 0,
    deleted_by: deletion?.by ?? "",
    deleted_at: deletion?.at ?? 0,
    replies,
    last_reply: lastReply,
    pinned_seq: pin?.seq ?? 0,
    pinned: pin?.on ?? false,
  };
}

function stateOf(row: StateRow): MessageState {
  const { thread, edits, replies, last_reply: lastReply, body } = row;
  const mentions = mentionsOfText(row.mentions);
  return {
    thread,
    edits,
    replies,
    lastReply,
    ...(mentions !== undefined && { mentions }),
    ...(row.edited_seq > 0 &&
      body !== null && {
        edit: { seq: row.edited_seq, at: row.edited_at, body: bodyOfText(body) },
      }),
    ...(row.deleted_seq > 0 && {
      deletion: { by: row.deleted_by, at: row.deleted_at, seq: row.deleted_seq },
    }),
    ...(row.pinned_seq > 0 && { pin: { seq: row.pinned_seq, on: row.pinned } }),
  };
}

function reactionColumns(reactions: readonly ReactedEvent[]): Buffer[] {
  return [
    textArray(reactions.map(({ room }) => room)),
    int8Array(reactions.map(({ target }) => target)),
    textArray(reactions.map(({ emoji }) => emoji)),
    textArray(reactions.map(({ from }) => from)),
    int8Array(reactions.map(({ seq }) => seq)),
    int8Array(reactions.map(({ on }) => Number(on))),
  ];
}

interface MessageRow extends StateRow {
  readonly head: Seq;
  /** Null for a message without a state. */
  readonly state_seq: Seq | null;
  readonly line: string | null;
  readonly reactions: readonly (readonly [string, number, readonly UserId[]])[] | null;
}

/** The columns of a message, of `room` (an expression) as of the head h.head. */
function selectMessages(room: string, from: string, where: string): string {
  return `select e.seq, e.line, s.seq as state_seq, ${STATE},
      case when s.seq is not null then (
        select json_agg(json_build_array(emoji, count, users) order by first) from (
          select emoji, count(*)::int as count, min(r.seq) as first,
            (array_agg(member order by r.seq))[1:${REACTION_NAMES_MAX}] as users
          from reactions r where r.room = e.room and r.target = e.seq and is_on group by emoji
        ) as counted
      ) end as reactions
    from ${from} where e.room = ${room} and ${where}`;
}

const MAIN = "events e left join message_state s on s.room = e.room and s.seq = e.seq";

/** $1 room, $2 the bound, $3 how many; $4 the root of a thread. */
function pageStatement(list: "main" | "thread" | "pinned", isAfter: boolean): object {
  const order = isAfter ? "asc" : "desc";
  const scan = isAfter
    ? `e.seq between $2::bigint + 1 and least(h.head, $2::bigint + ${SCAN_MAX})`
    : `e.seq between least(h.head, $2::bigint - 1) - ${SCAN_MAX - 1} and least(h.head, $2::bigint - 1)`;
  const bound = isAfter ? "s.seq > $2::bigint" : "s.seq < $2::bigint";
  const where = {
    main: `e.kind = 'msg' and coalesce(s.thread, 0) = 0 and ${scan} and $4::bigint is null`,
    thread: `s.room = $1 and s.thread = $4::bigint and s.thread > 0 and ${bound}`,
    pinned: `s.room = $1 and s.pinned and s.deleted_seq = 0 and ${bound} and $4::bigint is null`,
  }[list];
  const from =
    list === "main" ? MAIN : "message_state s join events e on e.room = s.room and e.seq = s.seq";
  return {
    name: `messages-${list}-${order}`,
    text: `select h.head, m.* from (
        select coalesce((select head from rooms where room = $1), 0) as head
      ) as h left join lateral (
        ${selectMessages("$1", from, where)} order by e.seq ${order} limit $3
      ) as m on true order by m.seq ${order}`,
  };
}

/** $1 rooms, $2 how many messages of each; rooms without an event have no row. */
const NEWEST = {
  name: "messages-newest",
  text: `select h.room, h.head, m.* from unnest($1::text[]) with ordinality as wanted (room, n)
    join rooms h on h.room = wanted.room
    left join lateral (
      ${selectMessages(
        "h.room",
        MAIN,
        `e.kind = 'msg' and coalesce(s.thread, 0) = 0
        and e.seq between h.head - ${SCAN_MAX - 1} and h.head`,
      )} order by e.seq desc limit $2
    ) as m on true order by wanted.n, m.seq desc`,
};

/** Rejects when PostgreSQL does. */
export async function readMessages(
  pool: Pool,
  room: RoomId,
  query: MessagesQuery,
): Promise<MessagesPage> {
  const { before, after, limit, thread = 0, pinned } = query;
  const list = pinned === true ? "pinned" : thread > 0 ? "thread" : "main";
  const bound = after ?? before ?? Number.MAX_SAFE_INTEGER;
  const values = [room, bound, limit + 1, list === "thread" ? thread : null];
  const { rows } = await pool.query<MessageRow>({
    ...pageStatement(list, after !== undefined),
    values,
  } as { name: string; text: string; values: unknown[] });
  const head = rows[0]?.head ?? 0;
  const scan = scanOf(query, head);
  const first = list !== "main" && after === undefined ? 1 : scan.first;
  const last = list !== "main" && after !== undefined ? head : scan.last;
  return cutPage(query, { first, last, head }, rows.flatMap(messageOf));
}

/** The newest messages of the main line of each room. Rejects when PostgreSQL does. */
export async function readNewest(
  pool: Pool,
  rooms: readonly RoomId[],
  limit: number,
): Promise<(readonly [RoomId, MessagesPage])[]> {
  const { rows } = await pool.query<MessageRow & { readonly room: RoomId }>({
    ...NEWEST,
    values: [textArray(rooms), limit + 1],
  });
  const byRoom = Map.groupBy(rows, ({ room }) => room);
  return Array.from(byRoom, ([room, own]) => {
    const head = own[0]?.head ?? 0;
    const query = { limit };
    const page = cutPage(query, { ...scanOf(query, head), head }, own.flatMap(messageOf));
    return [room, page] as const;
  });
}

/** None for the row of a room without a message. */
function messageOf(row: MessageRow): { readonly seq: Seq; readonly text: string }[] {
  const { seq, line, state_seq: stateSeq, reactions } = row;
  if (line === null) return [];
  const state = stateSeq === null ? undefined : stateOf(row);
  return [{ seq, text: messageText(line, state, (reactions ?? []).map(reactionOf)) }];
}

function reactionOf([emoji, count, users]: readonly [string, number, readonly UserId[]]): Reaction {
  return { emoji, count, users };
}
