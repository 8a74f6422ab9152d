// PostgresReads: the statements that read the archive, and the types of their rows.
//
// Each read is one statement, so a row comes from one moment. The statements are named, so that
// PostgreSQL parses and plans them once per connection.

import type { Pool } from "pg";
import type { LogSeq, Millis, RoomId, Seq } from "#shared/protocol/ids.ts";

/** Quarantined lines of one room that are still served. Beyond them history has a gap there. */
const QUARANTINED_MAX = 1_000;

export interface RangeRow {
  readonly head: Seq;
  readonly seq: Seq | null;
  readonly line: string | null;
}

/** $1 room, $2 first, $3 last, $4 bytes; always one row, for the head. */
export const RANGE = {
  name: "range",
  text: `select coalesce((select head from rooms where room = $1), 0) as head, found.seq, found.line
    from (values (1)) as one left join (
      select seq, line from (
        select seq, line, sum(octet_length(line)) over (order by seq) - octet_length(line) as before
        from events where room = $1 and seq between $2 and $3
      ) as counted where before < $4
    ) as found on true`,
};

interface QuarantinedRow {
  readonly seq: Seq;
  readonly line: string;
}

/**
 * $1 room, $2 first, $3 last: the first quarantined line of each sequence number without an event.
 */
const QUARANTINED = {
  name: "quarantined",
  text: `select distinct on (q.seq) q.seq, q.line from quarantine q
    where q.room = $1 and q.seq between $2 and $3
    and not exists (select from events e where e.room = q.room and e.seq = q.seq)
    order by q.seq desc, q.n limit ${QUARANTINED_MAX}`,
};

export async function readQuarantined(
  pool: Pool,
  room: RoomId,
  first: Seq,
  last: Seq,
): Promise<QuarantinedRow[]> {
  return (await pool.query<QuarantinedRow>({ ...QUARANTINED, values: [room, first, last] })).rows;
}

export interface LookupRow {
  readonly watermark: LogSeq | null;
  readonly seq: Seq | null;
  readonly at: Millis | null;
  /** The event $5. */
  readonly line: string | null;
  /** Of the newest edit of $5 that has some. */
  readonly mentions: string | null;
  readonly quarantined: boolean;
}

/** $1 partition, $2 room, $3 id, $4 sender, $5 the number of a further event, or null. */
export const LOOKUP = {
  name: "lookup",
  text: `select
      (select seq from watermarks where partition = $1) as watermark,
      exists (select from quarantine where room = $2) as quarantined,
      e.seq, e.at, (select line from events where room = $2 and seq = $5::bigint) as line,
      (select mentions from message_state where room = $2 and seq = $5::bigint) as mentions
    from (values (1)) as one
    left join events e on e.room = $2 and e.id = $3::uuid and e.sender = $4`,
};
