// Restore: what the archive knows of logs that are lost, and what it says afterwards.
//
// Owns: the ends of the partitions as the archive has them, and the one transaction that gives up what
// was behind them. Does not own: whether something was lost (services/persistence/core/restore-plan.ts), the streams.
//
//   postgres-restore.1. Watermarks and births change together or not at all, and only if no watermark moved since it
//        was read: whoever still archives a log has one.

import type { ArchiveEnd, GivenUp } from "../core/restore-plan.ts";
import { Client } from "pg";
import { partitionOf } from "#shared/protocol/ids.ts";
import type { LogSeq, Partition, RoomId } from "#shared/protocol/ids.ts";

interface EndRow {
  readonly partition: number;
  /** A bigint, which a client that is not told otherwise gives as text. */
  readonly seq: string;
  readonly settled: boolean;
}

/** Something that an operator has to know or to do first. */
export class RestoreError extends Error {
  override readonly name = "RestoreError";
}

/** Rooms in one statement. */
const ROOMS_MAX = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

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
    client.on("error", () => {}); // The statement that runs then rejects, and tells.
    await client.connect();
    return new RestoreArchive(client);
  }

  /** Undefined: the archive is older than this knowledge. */
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
    const stray = rows.find(({ partition }) => partition >= partitions);
    if (stray !== undefined) {
      throw new RestoreError(`the archive knows partition ${stray.partition} of ${partitions}`);
    }
    return Array.from({ length: partitions }, (_, p) => {
      const row = known.get(p);
      return { p, seq: Number(row?.seq ?? 0), isSettled: row?.settled ?? true };
    });
  }

  /** How many rooms were born again, by partition. */
  async giveUp(
    logs: readonly GivenUp[],
    { partitions, born }: { readonly partitions: number; readonly born: string },
  ): Promise<ReadonlyMap<Partition, number>> {
    const counts = new Map<Partition, number>();
    if (logs.length === 0) return counts;
    await this.#client.query("begin");
    try {
      for (const log of logs) await this.#moveWatermark(log); // postgres-restore.1
      const byPartition = new Map(logs.map((log) => [log.p, log]));
      const { rows } = await this.#client.query<{ room: RoomId }>("select room from rooms");
      const reborn = rows.filter(({ room }) => {
        const p = partitionOf(room, partitions);
        const log = byPartition.get(p);
        if (log === undefined || log.rooms?.has(room) === false) return false;
        counts.set(p, (counts.get(p) ?? 0) + 1);
        return true;
      });
      for (let at = 0; at < reborn.length; at += ROOMS_MAX) {
        const part = reborn.slice(at, at + ROOMS_MAX).map(({ room }) => room);
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

  async #moveWatermark({ p, from, to }: GivenUp): Promise<void> {
    // Epoch 0: whatever a forgotten owner may still write there is void until somebody claims.
    const { rowCount } = await this.#client.query(
      `insert into watermarks as w (partition, seq, epoch) values ($1, $2, 0)
       on conflict (partition) do update set seq = $2, epoch = 0 where w.seq = $3`,
      [p, to, from],
    );
    if (rowCount === 1) return;
    throw new RestoreError(`the archive of partition ${p} moves: its log is there and is read`);
  }
}
