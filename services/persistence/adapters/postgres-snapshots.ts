// Snapshots: what the archive knows of some rooms, in one statement and so from one moment (ARC3).

import type { Pool } from "pg";
import { boundIds, firstIdAt, keysOf } from "#shared/kit/archived-ids.ts";
import type { SnapshotId } from "#shared/kit/archived-ids.ts";
import {
  SNAPSHOT_IDS_MAX,
  SNAPSHOT_TAIL_BYTES_MAX,
  SNAPSHOT_TAIL_EVENTS,
} from "#shared/ports/archive.ts";
import type { RoomSnapshot } from "#shared/protocol/history.ts";
import type { LogSeq, MessageId, Millis, Partition, RoomId, Seq } from "#shared/protocol/ids.ts";
import { readQuarantined } from "./postgres-reads.ts";

export interface SnapshotKey {
  readonly p: Partition;
  readonly room: RoomId;
  readonly since: Millis;
}

interface SnapshotRow {
  readonly watermark: LogSeq | null;
  readonly head: Seq | null;
  readonly born: string | null;
  readonly last_at: Millis | null;
  readonly ids: readonly SnapshotId[] | null;
  readonly tail: readonly (readonly [Seq, string])[] | null;
  /** Something of this room stands in quarantine. */
  readonly quarantined: boolean;
}

/** $1 partitions, $2 rooms, $3 the smallest ids, $4 how many ids, $5 how many lines; a row for each. */
const SNAPSHOTS = {
  name: "snapshots",
  text: `select
      (select seq from watermarks where partition = asked.p) as watermark,
      r.head, r.born, r.last_at,
      exists (select from quarantine q where q.room = asked.room) as quarantined,
      (select json_agg(json_build_array(id, sender, seq, at)) from (
        select id, sender, seq, at from events where room = asked.room and id >= asked.since
        order by id desc limit $4
      ) as newest) as ids,
      (select json_agg(json_build_array(seq, line)) from (
        select seq, line from events where room = asked.room order by seq desc limit $5
      ) as last) as tail
    from unnest($1::int[], $2::text[], $3::uuid[]) with ordinality as asked (p, room, since, n)
    left join rooms r on r.room = asked.room order by asked.n`,
};

/** As many as keys, in their order. Rejects when PostgreSQL does. */
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
    ],
  });
  return Promise.all(rows.map((row, i) => toSnapshot(pool, keys[i], row)));
}

async function toSnapshot(
  pool: Pool,
  key: SnapshotKey | undefined,
  row: SnapshotRow,
): Promise<RoomSnapshot> {
  if (key === undefined) throw new Error("more snapshots than were asked for");
  const { room, since } = key;
  const watermark = row.watermark ?? 0;
  if (row.head === null) {
    return { room, watermark, head: 0, born: "", floor: 0, ids: [], tail: [], lastAt: 0 };
  }
  const quarantined = row.quarantined
    ? (await readQuarantined(pool, room, 1, row.head)).map(({ seq, line }) => [seq, line] as const)
    : [];
  const lines = new Map([...quarantined, ...(row.tail ?? [])]);
  return {
    room,
    watermark,
    head: row.head,
    born: row.born ?? "",
    tail: tailOf(lines, row.head),
    lastAt: row.last_at ?? 0,
    ...boundIds(newestFirst(row.ids ?? [], quarantined, firstIdAt(since)), since),
  };
}

/** The newest lines, ending at `head`, without a hole. */
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

function newestFirst(
  ids: readonly SnapshotId[],
  quarantined: readonly (readonly [Seq, string])[],
  from: MessageId,
): readonly SnapshotId[] {
  const more = quarantined.flatMap(([seq, line]): SnapshotId[] => {
    const keys = keysOf(line);
    return keys === undefined || keys.id < from ? [] : [[keys.id, keys.sender, seq, keys.at]];
  });
  return [...ids, ...more].sort(([a], [b]) => (a < b ? 1 : -1)).slice(0, SNAPSHOT_IDS_MAX + 1);
}
