// RestoreArchive: the reads and the one transaction of a restore in PostgreSQL, and the promotion
// of a standby.
//
// Owns: the archive's end of each partition, and the transaction that declares everything behind it
// lost. Does not own: the decision whether something was lost
// (services/persistence/core/restore-plan.ts, services/region/core/promotion-plan.ts), the streams.
//
//   postgres-restore.1. Watermarks and births change together or not at all, and only if no
//        watermark moved since it was read. A watermark that moves means that an archive runner
//        still reads that log.

import { Client } from "pg";
import type { ArchiveEnd, LostRange } from "../ports/restore.ts";
import type { Partition, RoomId } from "../protocol/ids.ts";
import { PartitionMap } from "../protocol/partition-map.ts";

interface EndRow {
  readonly partition: number;
  /** A bigint, which pg returns as text by default. */
  readonly seq: string;
  readonly settled: boolean;
}

/** An operator must provide information or do something first; the message names it. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

/** Rooms in one statement. */
const ROOMS_MAX = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
const PROMOTE_SECONDS = 60;

export class RestoreArchive implements AsyncDisposable {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<RestoreArchive> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      application_name: "parley-restore",
    });
    client.on("error", () => {}); // The current statement then rejects and reports the error.
    await client.connect();
    return new RestoreArchive(client);
  }

  /** Makes a standby writable; a primary stays what it is. Rejects after PROMOTE_SECONDS. */
  async promote(): Promise<void> {
    const standby = await this.#client.query<{ yes: boolean }>("select pg_is_in_recovery() as yes");
    if (standby.rows[0]?.yes !== true) return;
    const { rows } = await this.#client.query<{ done: boolean }>(
      "select pg_promote(true, $1) as done",
      [PROMOTE_SECONDS],
    );
    if (rows[0]?.done !== true) throw new RestoreError("PostgreSQL was not promoted in time");
  }

  /** What the archive knows about splits. `first`: the number of partitions at creation. */
  async map(first: number): Promise<PartitionMap> {
    const map = new PartitionMap(first);
    const { rows } = await this.#client.query<{ partition: number; split_of: number }>(
      "select partition, split_of from watermarks where split_of is not null",
    );
    for (const { partition, split_of: of } of rows) map.learn(partition, of);
    return map;
  }

  /** The number at creation. Undefined: the archive's schema is older than this table. */
  async partitions(): Promise<number | undefined> {
    const { rows } = await this.#client.query<{ partitions: number }>(
      "select partitions from cluster",
    );
    return rows[0]?.partitions;
  }

  async ends(partitions: number): Promise<ArchiveEnd[]> {
    const { rows } = await this.#client.query<EndRow>(
      `select partition, seq, seq > 0 and released = seq and claimed <= seq as settled
       from watermarks`,
    );
    const known = new Map(rows.map((row) => [row.partition, row]));
    // A claim creates the row of an upper half that has not begun.
    const stray = rows.find(({ partition, seq }) => partition >= partitions && Number(seq) > 0);
    if (stray !== undefined) {
      throw new RestoreError(`the archive knows partition ${stray.partition} of ${partitions}`);
    }
    return Array.from({ length: partitions }, (_, p) => {
      const row = known.get(p);
      return { p, seq: Number(row?.seq ?? 0), isSettled: row?.settled ?? true };
    });
  }

  /** Like `ends`; an archive without tables has archived nothing. */
  endsOrNone(partitions: number): Promise<ArchiveEnd[]> {
    return this.ends(partitions).catch((error: unknown) => {
      if (!isMissingTable(error)) throw error;
      return Array.from({ length: partitions }, (_, p) => ({ p, seq: 0, isSettled: true }));
    });
  }

  /** Returns the number of recreated rooms, by partition. */
  async declareLost(
    logs: readonly LostRange[],
    { map, born }: { readonly map: PartitionMap; readonly born: string },
  ): Promise<ReadonlyMap<Partition, number>> {
    const counts = new Map<Partition, number>();
    if (logs.length === 0) return counts;
    await this.#client.query("begin");
    try {
      for (const log of logs) await this.#moveWatermark(log); // postgres-restore.1
      const byPartition = new Map(logs.map((log) => [log.p, log]));
      const { rows } = await this.#client.query<{ room: RoomId }>("select room from rooms");
      const recreated = rows.filter(({ room }) => {
        const p = map.partitionOf(room);
        const log = byPartition.get(p);
        if (log === undefined || log.rooms?.has(room) === false) return false;
        counts.set(p, (counts.get(p) ?? 0) + 1);
        return true;
      });
      for (let at = 0; at < recreated.length; at += ROOMS_MAX) {
        const part = recreated.slice(at, at + ROOMS_MAX).map(({ room }) => room);
        await this.#client.query("update rooms set born = $1 where room = any($2)", [born, part]);
      }
      await this.#client.query("commit");
    } catch (error: unknown) {
      await this.#client.query("rollback");
      throw error;
    }
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }

  async #moveWatermark({ p, from, to }: LostRange): Promise<void> {
    // Epoch 0: everything that an old owner may still write there is void until the next claim.
    const { rowCount } = await this.#client.query(
      `insert into watermarks as w (partition, seq, epoch) values ($1, $2, 0)
       on conflict (partition) do update set seq = $2, epoch = 0 where w.seq = $3`,
      [p, to, from],
    );
    if (rowCount === 1) return;
    throw new RestoreError(
      `the watermark of partition ${p} moved during the restore: its log exists and is being archived`,
    );
  }
}

/** The code of PostgreSQL for a table that does not exist. */
function isMissingTable(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "42P01";
}
