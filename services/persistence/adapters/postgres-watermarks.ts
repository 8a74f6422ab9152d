// PostgresWatermarks: reads watermarks, and stores the claims that asked for them.
//
// Owns: the two statements that read watermarks, for many partitions at once. Does not own: moving
// them (postgres-write.ts), the restore of a lost log (postgres-restore.ts).

import type { Pool, QueryConfig } from "pg";
import type { Claim, Watermark } from "#shared/ports/archive.ts";
import type { Epoch, LogSeq, Partition } from "#shared/protocol/ids.ts";

export interface ClaimKey {
  readonly p: Partition;
  readonly claim: Claim;
}

interface WatermarkRow {
  readonly partition: Partition;
  readonly seq: LogSeq;
  readonly epoch: Epoch;
  readonly settled: boolean;
  readonly split_of: number | null;
}

/**
 * A room node asks again after 3 s. The pool of the writers would wait 32 s for a server that
 * hangs, and the next reads queue behind this one. A claim that is stored later does no harm
 * (archive.5).
 */
const GIVE_UP_MS = 7_000;

const WATERMARK = `w.partition, w.seq, w.epoch, w.split_of,
  w.seq > 0 and w.released = w.seq and w.claimed <= w.seq as settled`;

/** $1 partitions; a row for each that was ever archived or claimed. */
const WATERMARKS = {
  name: "watermarks",
  text: `select ${WATERMARK} from watermarks w where w.partition = any($1::int[])`,
};

/**
 * $1 partitions, each once; $2 their claims, or null for a claim behind the watermark. A claim is
 * stored before its answer is sent (archive.5). A partition that was never archived gets its row,
 * so that the claim is known later.
 */
const CLAIM_WATERMARKS = {
  name: "claim-watermarks",
  text: `insert into watermarks as w (partition, seq, epoch, claimed)
    select p, 0, 0, coalesce(claim, 1) from unnest($1::int[], $2::bigint[]) as wanted (p, claim) order by p
    on conflict (partition) do update set claimed = greatest(w.claimed,
      (select coalesce(claim, w.seq + 1) from unnest($1::int[], $2::bigint[]) as wanted (p, claim)
       where p = w.partition))
    returning ${WATERMARK}`,
};

/** As many watermarks as partitions, in their order. */
export async function readWatermarks(
  db: Pool,
  partitions: readonly Partition[],
): Promise<Watermark[]> {
  const { rows } = await db.query<WatermarkRow>(bounded(WATERMARKS, [partitions]));
  return inOrder(partitions, rows);
}

/** The same, for owners; their claims are stored. */
export async function claimWatermarks(db: Pool, keys: readonly ClaimKey[]): Promise<Watermark[]> {
  const claims = new Map<Partition, LogSeq | null>();
  for (const { p, claim } of keys) {
    const before = claims.get(p);
    const isUnknown = claim === "unknown" || before === null;
    claims.set(p, isUnknown ? null : Math.max(claim, before ?? 0));
  }
  const values = [[...claims.keys()], [...claims.values()]];
  const { rows } = await db.query<WatermarkRow>(bounded(CLAIM_WATERMARKS, values));
  return inOrder(
    keys.map(({ p }) => p),
    rows,
  );
}

/** The types of `pg` lack the timeout of one query. */
function bounded(statement: QueryConfig, values: unknown[]): QueryConfig {
  return { ...statement, values, query_timeout: GIVE_UP_MS } as QueryConfig;
}

function inOrder(partitions: readonly Partition[], rows: readonly WatermarkRow[]): Watermark[] {
  const byPartition = new Map(rows.map((row) => [row.partition, row]));
  return partitions.map((p) => {
    const { seq = 0, epoch = 0, settled = false, split_of: of } = byPartition.get(p) ?? {};
    const split = typeof of === "number" && { of };
    return { seq, epoch, ...(settled && { isSettled: true }), ...split };
  });
}
