// PostgresFeed: records for services/webhooks which numbers a batch adds to its rooms.
//
// Owns: the row of a batch in `webhook_feed`. Does not own: its readers, which remove it
// (services/webhooks).
//
//   postgres-feed.1. The row is written in the transaction of the batch, so it is there exactly
//        when the watermark has moved, and once (W2).
//   postgres-feed.2. Without a subscription it costs one look at an empty table.

import type { PoolClient } from "pg";
import type { ArchiveBatch } from "#shared/ports/archive.ts";
import { int8Array, textArray } from "./pg-arrays.ts";

const feed = (rooms: string, seqs: string, p: string, to: string): string => `
  insert into webhook_feed (partition, log_seq, rooms, firsts, lasts)
  select ${p}::int, ${to}::bigint, array_agg(room order by room),
    array_agg(first order by room), array_agg(last order by room)
  from (
    select room, min(seq) as first, max(seq) as last
    from unnest(${rooms}::text[], ${seqs}::bigint[]) as e (room, seq) group by room
  ) as numbers
  where exists (select from webhooks)`;

/**
 * A part of the fast way (postgres-write.ts), with its parameters. `having`: a batch has events.
 */
export const FEED_BATCH = `${feed("$1", "$2", "$12", "$13")} having count(*) > 0`;

const FEED_WITH_CARE = {
  name: "feed-batch",
  text: `${feed("$1", "$2", "$3", "$4")} having count(*) > 0`,
};

/** The slow way. Quarantined events have numbers too. */
export async function feedBatch(db: PoolClient, batch: ArchiveBatch): Promise<void> {
  const { p, to, events, unread = [] } = batch;
  const places = [...events, ...unread.flatMap(({ place }) => place ?? [])].filter(({ seq }) =>
    Number.isSafeInteger(seq),
  );
  const rooms = textArray(places.map(({ room }) => room));
  const values = [rooms, int8Array(places.map(({ seq }) => seq)), p, to];
  await db.query({ ...FEED_WITH_CARE, values });
}
