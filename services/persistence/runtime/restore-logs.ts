// Logs: brings back the service of a cluster whose streams are lost, from its archive.
//
// Owns: the order of the steps. Does not own: the judgement (plan.ts), PostgreSQL and NATS (adapters).
//
//   restore-logs.1. The archive changes first, then the streams: a run that died in between finds the logs missing
//        still, and does the same once more.
//   restore-logs.2. One refused partition stops all: nothing is changed.
//   restore-logs.3. A cluster that goes on meanwhile takes no harm: room nodes wait for a log that reaches the
//        archive (R1), and gateways notice that rooms were born again (R3).

import { randomUUID } from "node:crypto";
import { connectNats } from "#shared/adapters/nats-connect.ts";
import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import { checkServer } from "#shared/adapters/nats-provision.ts";
import { findLogs, partitionsOf, replaceLogs } from "#shared/adapters/nats-restore.ts";
import type { FoundLog } from "#shared/adapters/nats-restore.ts";
import type { Partition } from "#shared/protocol/ids.ts";
import { migrate } from "../adapters/migrate.ts";
import { RestoreArchive, RestoreError } from "../adapters/postgres-restore.ts";
import { planPartition } from "../core/restore-plan.ts";
import type { PartitionPlan, RestoreChoice } from "../core/restore-plan.ts";

export interface RestoreOptions extends Omit<RestoreChoice, "partitions"> {
  readonly nats: NatsAccess;
  readonly database: string;
  /** Only for an archive and a NATS that both do not know it. */
  readonly partitions?: number;
  /** Of streams that are made where none is left to tell; default: one for each server, at most 3. */
  readonly replicas?: number;
  readonly logBytesMax?: number;
  /** False: only say what would be done. */
  readonly isMeant: boolean;
}

export interface RestoreReport {
  readonly plans: readonly PartitionPlan[];
  /** Rooms that were born again, by partition; empty when it was not meant. */
  readonly reborn: ReadonlyMap<Partition, number>;
}

const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** Rejects with RestoreError when something has to be known or done first. */
export async function restoreLogs(options: RestoreOptions): Promise<RestoreReport> {
  const { nats, database, isMeant } = options;
  const connection = await connectNats({ ...nats, name: "restore", inboxPrefix: "_INBOX_admin" });
  try {
    const check = checkServer(connection);
    if (check.kind === "refused") throw new RestoreError(check.reason);
    await migrate({ url: database });
    await using archive = await RestoreArchive.open(database);
    const partitions =
      (await archive.partitions()) ?? (await partitionsOf(connection)) ?? options.partitions;
    if (partitions === undefined) {
      throw new RestoreError("neither PostgreSQL nor NATS knows how many: give --partitions");
    }
    const found = await findLogs(connection, partitions);
    const ends = await archive.ends(partitions);
    const choice = { ...options, partitions };
    const plans = ends.map((end) => planPartition(end, found[end.p], choice));
    if (!isMeant || plans.some(({ kind }) => kind === "refused")) {
      return { plans, reborn: new Map() }; // restore-logs.2
    }
    const restored = plans.filter((plan) => plan.kind === "restore");
    const givenUp = restored.flatMap((plan) => plan.givenUp ?? []);
    const reborn = await archive.giveUp(givenUp, { partitions, born: randomUUID() }); // restore-logs.1
    const firstSeqs = new Map(restored.map(({ p, firstSeq }) => [p, firstSeq]));
    await replaceLogs(connection, { partitions, firstSeqs, ...sizes(found, options) });
    return { plans, reborn };
  } finally {
    await connection.close();
  }
}

/** As the streams were, as far as one of them is there to tell. */
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
