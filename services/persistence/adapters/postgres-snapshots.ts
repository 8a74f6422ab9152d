// PostgresSnapshots: reads the snapshots of several rooms in one statement, and so from one moment
// (archive.3). A room with more ids from the future than a snapshot carries needs a second
// statement for the floors of their senders. That statement may see later events, and then the
// floors are higher than necessary.

import type { Pool } from "pg";
import { boundAll, edgeOf, firstIdAt, fitsAhead } from "#shared/kit/archived-ids.ts";
import { floorsOf, keysOf } from "#shared/kit/archived-ids.ts";
import type { SnapshotId } from "#shared/kit/archived-ids.ts";
import {
  SNAPSHOT_AHEAD_IDS_MAX,
  SNAPSHOT_FLOORS_MAX,
  SNAPSHOT_IDS_MAX,
  SNAPSHOT_TAIL_BYTES_MAX,
  SNAPSHOT_TAIL_EVENTS,
} from "#shared/ports/archive.ts";
import { SNAPSHOT_MEMBERS_MAX } from "#shared/kit/archived-members.ts";
import { countedMessages, cutSenders } from "#shared/kit/archived-senders.ts";
import { SLOW_SENDERS_MAX } from "#shared/protocol/limits.ts";
import type { RoomSnapshotState, SenderTime } from "#shared/protocol/history.ts";
import type { RoomSnapshot, StoredInvite, StoredMember } from "#shared/protocol/history.ts";
import type { LogSeq, MessageId, Millis, Partition, RoomId } from "#shared/protocol/ids.ts";
import type { Seq, UserId } from "#shared/protocol/ids.ts";
import { messageTime } from "#shared/protocol/ids.ts";
import { INVITES } from "./postgres-invites.ts";
import { IS_STORED, stateOf } from "./postgres-state.ts";
import type { SettingsRow } from "./postgres-state.ts";
import { readQuarantined } from "./postgres-reads.ts";

export interface SnapshotKey {
  readonly p: Partition;
  readonly room: RoomId;
  readonly since: Millis;
}

interface SnapshotRow extends SettingsRow {
  /** One more than fit, if there are more. */
  readonly members: readonly StoredMember[] | null;
  readonly invites: readonly StoredInvite[] | null;
  readonly watermark: LogSeq | null;
  readonly head: Seq | null;
  readonly born: string | null;
  readonly last_at: Millis | null;
  readonly ids: readonly SnapshotId[] | null;
  /** The ids from the future. */
  readonly ahead: readonly SnapshotId[] | null;
  readonly tail: readonly (readonly [Seq, string])[] | null;
  /** Whether the quarantine holds lines of this room. */
  readonly quarantined: boolean;
}

/**
 * $1 partitions, $2 rooms, $3 the smallest ids, $4 how many ids, $5 how many lines, $6 how many ids
 * from the future, $7 how far they are after the room's last event (edgeOf), $8 how many members.
 * One row for each room.
 */
const SNAPSHOTS = {
  name: "snapshots",
  text: `select
      (select seq from watermarks where partition = wanted.p) as watermark,
      r.head, r.born, r.last_at, r.kind, r.title, r.settings, r.settings_seq,
      (select json_agg(json_build_array(member, role, muted_until, banned)) from (
        select member, role, muted_until, banned from members
        where room = wanted.room and ${IS_STORED} order by member limit $8
      ) as stored) as members,
      ${INVITES} as invites,
      exists (select from quarantine q where q.room = wanted.room) as quarantined,
      (select json_agg(json_build_array(id, sender, seq, at)) from (
        select id, sender, seq, at from events
        where room = wanted.room and id >= wanted.since and id < edge.id order by id desc limit $4
      ) as newest) as ids,
      (select json_agg(json_build_array(id, sender, seq, at)) from (
        select id, sender, seq, at from events where room = wanted.room and id >= edge.id
        order by id desc limit $6
      ) as future) as ahead,
      (select json_agg(json_build_array(seq, line)) from (
        select seq, line from events where room = wanted.room order by seq desc limit $5
      ) as last) as tail
    from unnest($1::int[], $2::text[], $3::uuid[]) with ordinality as wanted (p, room, since, n)
    left join rooms r on r.room = wanted.room
    cross join lateral (
      select lpad(to_hex(coalesce(r.last_at, 0) + $7::bigint), 12, '0') as time
    ) as hex
    cross join lateral (
      select (left(hex.time, 8) || '-' || right(hex.time, 4) || '-0000-0000-000000000000')::uuid as id
    ) as edge
    order by wanted.n`,
};

/** $1 room, $2 the smallest id, $3 how many senders; the newest id of each, highest first. */
const NEWEST_IDS = {
  name: "newest-ids",
  text: `select max(id::text) as id, sender from events where room = $1 and id >= $2
    group by sender order by 1 desc limit $3`,
};

/** $1 room, $2 first, $3 last, $4 the time behind which messages count, $5 how many senders. */
const SENDERS = {
  name: "senders",
  text: `select sender, at, seq from (
      select distinct on (sender) sender, at, seq from events
      where room = $1 and seq between $2 and $3 and kind = 'msg' and at > $4
      order by sender, seq desc
    ) as newest order by seq desc limit $5`,
};

/** As many snapshots as keys, in their order. Rejects when PostgreSQL does. */
export async function readSnapshots(
  pool: Pool,
  keys: readonly SnapshotKey[],
): Promise<RoomSnapshot[]> {
  const { rows } = await pool.query<SnapshotRow>({
    ...SNAPSHOTS,
    values: [
      keys.map(({ p }) => p),
      keys.map(({ room }) => room),
      keys.map(({ since }) => firstIdAt(since)),
      SNAPSHOT_IDS_MAX + 1,
      SNAPSHOT_TAIL_EVENTS,
      SNAPSHOT_AHEAD_IDS_MAX + 1,
      edgeOf(0),
      SNAPSHOT_MEMBERS_MAX + 1,
    ],
  });
  return Promise.all(rows.map((row, i) => toSnapshot(pool, keys[i], row)));
}

async function toSnapshot(
  pool: Pool,
  key: SnapshotKey | undefined,
  row: SnapshotRow,
): Promise<RoomSnapshot> {
  if (key === undefined) throw new Error("PostgreSQL returned more snapshots than requested");
  const { room, since } = key;
  const watermark = row.watermark ?? 0;
  if (row.head === null) {
    return { room, watermark, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
  }
  const quarantined = row.quarantined
    ? (await readQuarantined(pool, room, 1, row.head)).map(({ seq, line }) => [seq, line] as const)
    : [];
  const lines = new Map([...quarantined, ...(row.tail ?? [])]);
  const edge = edgeOf(row.last_at ?? 0);
  const unstored = quarantined.flatMap(([seq, line]): SnapshotId[] => {
    const keys = keysOf(line);
    return keys === undefined ? [] : [[keys.id, keys.sender, seq, keys.at]];
  });
  const isAhead = ([id]: SnapshotId): boolean => messageTime(id) >= edge;
  const isNew = (item: SnapshotId): boolean => messageTime(item[0]) >= since && !isAhead(item);
  const ahead = newestFirst([...(row.ahead ?? []), ...unstored.filter(isAhead)]);
  const newest = newestFirst([...(row.ids ?? []), ...unstored.filter(isNew)]);
  const whole = fitsAhead(ahead)
    ? { ids: ahead }
    : { floors: floorsOf([...(await newestIds(pool, room, edge)), ...ahead]) };
  const known = stateOf(row, row.members ?? []);
  const state = known && { ...known, ...(row.invites !== null && { invites: row.invites }) };
  const { head, last_at: lastAt } = row;
  const senders = await sendersOf(pool, room, state, { head, lastAt: lastAt ?? 0 });
  return {
    room,
    watermark,
    ...(state !== undefined && { state }),
    ...(senders !== undefined && { senders }),
    head,
    born: row.born ?? "",
    tail: tailOf(lines, head),
    lastAt: lastAt ?? 0,
    ...boundAll(newest.slice(0, SNAPSHOT_IDS_MAX + 1), whole, { since, edge }),
  };
}

/** Only a room with slow mode needs this statement. Later events change nothing of its answer. */
async function sendersOf(
  pool: Pool,
  room: RoomId,
  state: RoomSnapshotState | undefined,
  end: { readonly head: Seq; readonly lastAt: Millis },
): Promise<SenderTime[] | undefined> {
  const counted = countedMessages(state?.settings, end);
  if (counted === undefined) return undefined;
  const values = [room, counted.first, end.head, counted.since, SLOW_SENDERS_MAX];
  const { rows } = await pool.query<{ sender: UserId; at: Millis; seq: Seq }>({
    ...SENDERS,
    values,
  });
  return cutSenders(rows.map(({ sender, at, seq }) => [sender, at, seq] as const));
}

async function newestIds(
  pool: Pool,
  room: RoomId,
  edge: Millis,
): Promise<(readonly [MessageId, UserId])[]> {
  const values = [room, firstIdAt(edge), SNAPSHOT_FLOORS_MAX + 1];
  const query = { ...NEWEST_IDS, values };
  const { rows } = await pool.query<{ readonly id: MessageId; readonly sender: UserId }>(query);
  return rows.map(({ id, sender }) => [id, sender] as const);
}

/** The newest lines, ending at `head`, without a gap. */
function tailOf(found: ReadonlyMap<Seq, string>, head: Seq): string[] {
  const tail: string[] = [];
  let bytes = 0;
  for (let seq = head; seq > head - SNAPSHOT_TAIL_EVENTS; seq--) {
    const line = found.get(seq);
    if (line === undefined) break;
    bytes += Buffer.byteLength(line);
    if (bytes > SNAPSHOT_TAIL_BYTES_MAX) break;
    tail.push(line);
  }
  return tail.toReversed();
}

function newestFirst(ids: readonly SnapshotId[]): SnapshotId[] {
  return [...ids].sort(([a], [b]) => (a < b ? 1 : -1));
}
