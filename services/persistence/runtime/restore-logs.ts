// Restore logs: replaces the lost streams of a cluster, using its archive.
//
// Owns: the order of the steps. Does not own: the decision (core/restore-plan.ts), PostgreSQL and
// NATS (adapters).
//
//   restore-logs.1. The archive changes first, then the streams. A run after a crash in between
//        finds the logs still missing, and does the same again.
//   restore-logs.2. One refused partition stops the restore: nothing is changed.
//   restore-logs.3. A restore is safe while the cluster runs: room nodes wait for a log that
//        reaches the archive (R1), and gateways detect recreated rooms (R3).

import { randomUUID } from "node:crypto";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { checkServer, wantPartitions } from "#shared/adapters/nats-provision.ts";
import { findLogs, logsOf, partitionsOf, replaceLogs } from "#shared/adapters/nats-restore.ts";
import type { FoundLog } from "#shared/adapters/nats-restore.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import { migrate } from "../adapters/migrate.ts";
import { RestoreArchive, RestoreError } from "#shared/adapters/postgres-restore.ts";
import { planPartition } from "../core/restore-plan.ts";
import type { PartitionPlan, RestoreChoice } from "../core/restore-plan.ts";

export interface RestoreOptions extends Omit<RestoreChoice, "map"> {
  readonly nats: NatsAccess;
  readonly database: string;
  /** Needed only when neither the archive nor NATS has the number. */
  readonly partitions?: number;
  /**
   * For new streams when no old stream is left to copy the number from; default: one per server, at
   * most 3.
   */
  readonly replicas?: number;
  readonly logBytesMax?: number;
  /** False: only return the plans. */
  readonly isConfirmed: boolean;
}

export interface RestoreReport {
  /** The number at the creation of the cluster (N3). */
  readonly partitions: number;
  readonly plans: readonly PartitionPlan[];
  /** The number of recreated rooms, by partition; empty unless confirmed. */
  readonly recreated: ReadonlyMap<Partition, number>;
}

const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** Rejects with RestoreError when the operator must provide information or do something first. */
export async function restoreLogs(options: RestoreOptions): Promise<RestoreReport> {
  const { nats, database, isConfirmed } = options;
  const connection = await connectNats({ ...nats, name: "restore", inboxPrefix: "_INBOX_admin" });
  try {
    const check = checkServer(connection);
    if (check.kind === "refused") throw new RestoreError(check.reason);
    await migrate({ url: database });
    await using archive = await RestoreArchive.open(database);
    const partitions =
      (await archive.partitions()) ?? (await partitionsOf(connection)) ?? options.partitions;
    if (partitions === undefined) {
      throw new RestoreError(
        "neither PostgreSQL nor NATS has the number of partitions: pass --partitions",
      );
    }
    const map = await archive.map(partitions);
    // The setting is lost with NATS, and the archive lacks a split that was not archived.
    const logs = Math.max(map.partitions, (await logsOf(connection, partitions)) ?? 0);
    const found = await findLogs(connection, logs);
    const ends = await archive.ends(logs);
    const choice = { ...options, map };
    const plans = ends.map((end) => planPartition(end, found[end.p], choice));
    if (!isConfirmed || plans.some(({ kind }) => kind === "refused")) {
      return { partitions, plans, recreated: new Map() }; // restore-logs.2
    }
    const restored = plans.filter((plan) => plan.kind === "restore");
    const lostRange = restored.flatMap((plan) => plan.lostRange ?? []);
    // restore-logs.1
    const recreated = await archive.declareLost(lostRange, { map, born: randomUUID() });
    const firstSeqs = new Map(restored.map(({ p, firstSeq }) => [p, firstSeq]));
    await replaceLogs(connection, { partitions, logs, firstSeqs, ...sizes(found, options) });
    if (logs > partitions) await wantPartitions(connection, { count: logs, by: "restore" });
    return { partitions, plans, recreated };
  } finally {
    await connection.close();
  }
}

/** As the old streams were, if at least one of them is left. */
function sizes(
  found: readonly (FoundLog | undefined)[],
  { nats, replicas, logBytesMax }: RestoreOptions,
): { readonly replicas: number; readonly logBytesMax: number } {
  const servers = nats.url.split(",").length >= 3 ? 3 : 1;
  const [one] = found.filter((log) => log !== undefined);
  return {
    replicas: replicas ?? one?.replicas ?? servers,
    logBytesMax: logBytesMax ?? one?.bytesMax ?? LOG_BYTES_MAX,
  };
}
