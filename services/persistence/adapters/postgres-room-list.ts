// PostgresRoomList: the list of a user's rooms, the search for open rooms, read positions, and the
// mentions that they count.
//
//   postgres-room-list.1. A page of a list is one statement, so it is of one moment. For each room
//        it reads at most UNREAD_EVENTS_MAX events by the primary key, the newest first, because
//        they are the likeliest in memory, and stops at UNREAD_MAX messages. Mentions by name need
//        no event: no message of the user is among them (mentions.2). `offset 0` keeps the
//        subqueries from a join that reads all rooms.
//   postgres-room-list.2. A read position only grows, and only a member has one. Rows are locked in
//        the order of their keys, so that two writers cannot wait for each other.
//   postgres-room-list.3. The parameters of a page are hidden in `asked`, so that PostgreSQL
//        estimates the same cost with and without their values, and keeps one plan. Otherwise it
//        makes a plan for each page, with three scans of sixteen tables.

import type { Pool } from "pg";
import type { Mention } from "#shared/kit/mentions.ts";
import { bodyOfText } from "#shared/kit/message-fold.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { RoomSettings } from "#shared/protocol/events.ts";
import type { Millis, RoomId, Seq, UserId } from "#shared/protocol/ids.ts";
import { FIND_ROOMS_MAX, UNREAD_EVENTS_MAX, UNREAD_MAX } from "#shared/protocol/limits.ts";
import { cursorOf, excerptOf, readCursor } from "#shared/protocol/room-list.ts";
import type {
  FindQuery,
  FoundRoom,
  FoundRooms,
  ListedRoom,
  ReadPosition,
  RoomsPage,
  RoomsQuery,
} from "#shared/protocol/room-list.ts";
import type { Role, RoomKind } from "#shared/protocol/roles.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

/** $n… rooms, numbers, users. `where` limits the rows. */
export function insertMentions(n: number, where = ""): string {
  return `insert into mentions (room, seq, member)
    select * from unnest($${n}::text[], $${n + 1}::bigint[], $${n + 2}::text[]) ${where}
    on conflict do nothing`;
}

export const STORE_MENTIONS = { name: "store-mentions", text: insertMentions(1) };

/** The serving role may delete rows of this table: it is made from the events. */
export const END_MENTIONS = {
  name: "end-mentions",
  text: `delete from mentions m
    using unnest($1::text[], $2::bigint[], $3::text[]) as ended (room, seq, member)
    where m.member = ended.member and m.room = ended.room and m.seq = ended.seq`,
};

export function mentionColumns(mentions: readonly Mention[]): Buffer[] {
  return [
    textArray(mentions.map(({ room }) => room)),
    int8Array(mentions.map(({ seq }) => seq)),
    textArray(mentions.map(({ user }) => user)),
  ];
}

/** $1 the user, $2 and $3 the place behind which the page begins, $4 how many. */
const ROOMS = {
  name: "room-list",
  text: `with asked as materialized (
      select $1::text as member, $2::bigint as at, $3::text as room, $4::bigint as n
    ), page as materialized (
      select m.member, m.room, m.role, m.read_seq, r.kind, r.title, r.head, r.last_at,
        greatest(m.read_seq, case when m.since_seq > 0 then m.since_seq else m.seq end,
          r.head - ${UNREAD_EVENTS_MAX}) as base
      from asked join members m on m.member = asked.member
      cross join lateral (select * from rooms where room = m.room offset 0) as r
      where m.role <> 'none' and not m.banned
        and (r.last_at < asked.at or (r.last_at = asked.at and r.room > asked.room))
      order by r.last_at desc, r.room limit (select n from asked)
    ), mine as materialized (
      select page.*, nullif(array(
        select s.seq from message_state s where s.room = page.room
        and s.seq > page.head - ${UNREAD_EVENTS_MAX} and s.deleted_seq > 0
      ), '{}') as gone
      from page
    )
    select mine.room, kind, title, role, mine.head, last_at, read_seq, unread.n as unread,
      mentioned.n as mentions, newest.seq, newest.line, newest.body
    from mine
    left join lateral (
      select e.seq, e.line, (
        select body from message_state s where s.room = e.room and s.seq = e.seq
      ) as body
      from events e where e.room = mine.room and e.seq > mine.head - ${UNREAD_EVENTS_MAX}
      and e.kind = 'msg' and (mine.gone is null or e.seq <> all (mine.gone))
      order by e.seq desc limit 1
    ) as newest on true
    left join lateral (
      select count(*)::int as n from (
        select from events e where e.room = mine.room and e.seq > mine.base
        and mine.base < newest.seq and e.kind = 'msg' and e.sender <> mine.member
        and (mine.gone is null or e.seq <> all (mine.gone))
        order by e.seq desc limit ${UNREAD_MAX}
      ) as counted
    ) as unread on true
    left join lateral (
      select least(${UNREAD_MAX}, (
        select count(*)::int from (
          select from mentions n where n.member = mine.member and n.room = mine.room
          and n.seq > mine.base and (mine.gone is null or n.seq <> all (mine.gone))
          limit ${UNREAD_MAX}
        ) as named
      ) + (
        select count(*)::int from mentions n where n.member = '' and n.room = mine.room
        and n.seq > mine.base and (mine.gone is null or n.seq <> all (mine.gone))
        and exists (
          select from events e where e.room = n.room and e.seq = n.seq
          and e.sender <> mine.member offset 0
        )
      )) as n
    ) as mentioned on true
    order by last_at desc, mine.room`,
};

interface RoomRow {
  readonly room: RoomId;
  readonly kind: RoomKind;
  readonly title: string;
  readonly role: Role;
  readonly head: Seq;
  readonly last_at: Millis;
  readonly read_seq: Seq;
  readonly unread: number;
  readonly mentions: number;
  readonly seq: Seq | null;
  readonly line: string | null;
  readonly body: string | null;
}

/** Rejects when PostgreSQL does. */
export async function readRooms(
  pool: Pool,
  { user, after, limit }: RoomsQuery,
): Promise<RoomsPage> {
  const place = after === undefined ? undefined : readCursor(after);
  const { at, room } = place ?? { at: Number.MAX_SAFE_INTEGER, room: "" };
  const { rows } = await pool.query<RoomRow>({ ...ROOMS, values: [user, at, room, limit + 1] });
  const rooms = rows.slice(0, limit).map(listed);
  const last = rooms.at(-1);
  return { rooms, ...(last !== undefined && rows.length > limit && { next: cursorOf(last) }) };
}

function listed(row: RoomRow): ListedRoom {
  const { room, kind, title, role, head, unread, mentions } = row;
  const last = lastOf(row);
  return {
    room,
    kind,
    ...(title !== "" && { title }),
    role,
    head,
    at: row.last_at,
    read: row.read_seq,
    unread,
    mentions,
    ...(last !== undefined && { last }),
  };
}

function lastOf({ seq, line, body }: RoomRow): ListedRoom["last"] {
  if (seq === null || line === null) return undefined;
  const event = parseObject(line);
  const [from, at] = [event?.["from"] as UserId, event?.["at"] as Millis];
  const newest = body === null ? event?.["body"] : bodyOfText(body);
  return { seq, from, at, ...excerptOf(newest, event?.["attachments"]) };
}

/** $1 the user, $2 the id behind which it begins, $3 the text, $4 how many. */
const FIND = {
  name: "find-rooms",
  text: `with part as materialized (
      select room, title, settings, head, last_at from rooms
      where kind = 'open' and settings_seq > 0 and room > $2::text order by room limit ${FIND_ROOMS_MAX}
    )
    select s.room, s.title, s.settings, s.head, s.last_at, s.role,
      (select count(*)::int from part) as scanned, (select max(room) from part) as until
    from (select) as one left join (
      select part.*, own.role from part
      left join members own on own.room = part.room and own.member = $1
      where not coalesce(own.banned, false) and not coalesce((settings ->> 'archived')::boolean, false)
      and (position(lower($3::text) in lower(title)) > 0
        or position(lower($3::text) in lower(part.room)) > 0)
      order by part.room limit $4
    ) as s on true order by s.room`,
};

interface FoundRow {
  /** Null in the one row of an empty answer. */
  readonly room: RoomId | null;
  readonly title: string;
  readonly settings: Pick<RoomSettings, "topic">;
  readonly head: Seq;
  readonly last_at: Millis;
  readonly role: Role | null;
  readonly scanned: number;
  readonly until: RoomId | null;
}

/** Rejects when PostgreSQL does. */
export async function findRooms(
  pool: Pool,
  { user, text, after = "" as RoomId, limit }: FindQuery,
): Promise<FoundRooms> {
  const { rows } = await pool.query<FoundRow>({ ...FIND, values: [user, after, text, limit + 1] });
  const rooms = rows.slice(0, limit).flatMap(found);
  const { scanned = 0, until = null } = rows[0] ?? {};
  const next = rows.length > limit ? rooms.at(-1)?.room : undefined;
  const isCut = next === undefined && scanned === FIND_ROOMS_MAX && until !== null;
  return { rooms, ...(next !== undefined && { next }), ...(isCut && { next: until }) };
}

function found({ room, title, settings, head, last_at: at, role }: FoundRow): FoundRoom[] {
  if (room === null) return [];
  const { topic } = settings;
  return [
    {
      room,
      ...(title !== "" && { title }),
      ...(topic !== undefined && { topic }),
      role: role === null || role === "none" ? "member" : role,
      head,
      at,
    },
  ];
}

const PUT_READS = {
  name: "put-reads",
  text: `with said as (
      select room, member, max(seq) as seq from unnest($1::text[], $2::text[], $3::bigint[])
        as s (room, member, seq) group by room, member
    ), locked as materialized (
      select m.room, m.member, s.seq from members m join said s using (room, member)
      where m.read_seq < s.seq and m.role <> 'none' and not m.banned
      order by m.room, m.member for update of m
    ), stored as (
      update members m set read_seq = greatest(m.read_seq, l.seq) from locked l
      where m.room = l.room and m.member = l.member
    )
    select s.room, s.member from said s left join rooms r on r.room = s.room
    left join members m on m.room = s.room and m.member = s.member
    where coalesce(r.head, 0) < s.seq
      and (m.member is null or m.role = 'none' or m.banned)`,
};

/** Returns the names "room user" of the positions to say again. Rejects when PostgreSQL does. */
export async function putReads(
  pool: Pool,
  reads: readonly ReadPosition[],
): Promise<ReadonlySet<string>> {
  const values = [
    textArray(reads.map(([room]) => room)),
    textArray(reads.map(([, user]) => user)),
    int8Array(reads.map(([, , seq]) => seq)),
  ];
  const { rows } = await pool.query<{ room: RoomId; member: UserId }>({ ...PUT_READS, values });
  return new Set(rows.map(({ room, member }) => `${room} ${member}`));
}
