// Dump cluster: reads log, archive and history of a cluster whose clients have finished.
//
//   dump-cluster.1. The archive is read when it has all entries that the logs had at their dump.

import type { NatsAccess } from "#shared/adapters/nats-connect.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import { devToken } from "../wire-client/dev-token.ts";
import { archivedThrough, dumpArchive, dumpLog, dumpPages } from "./dump.ts";

const ARCHIVED_WITHIN_MS = 120_000;

export interface DumpSource {
  readonly nats: NatsAccess;
  readonly databaseUrl: string;
  /** `http://…` of a gateway. */
  readonly gateway: string;
  readonly partitions: number;
}

export interface DumpSink {
  readonly onEntry: (entry: LoggedEntry) => void;
  readonly onArchived: (line: string) => void;
  /** Left out: the history is not read. */
  readonly onPaged?: (line: string) => void;
}

/**
 * Resolves with the head of each room in the archive. Rejects when the archive does not catch up.
 */
export async function dumpCluster(
  { nats, databaseUrl, gateway, partitions }: DumpSource,
  { onEntry, onArchived, onPaged }: DumpSink,
): Promise<ReadonlyMap<RoomId, number>> {
  const lasts = await dumpLog(nats, partitions, onEntry);
  await until(
    async () => {
      const watermarks = await archivedThrough(databaseUrl);
      return lasts.every((last, p) => last === 0 || (watermarks.get(p) ?? 0) >= last);
    },
    { withinMs: ARCHIVED_WITHIN_MS, what: "the archive to have the whole log" },
  ); // dump-cluster.1
  const heads = await dumpArchive(databaseUrl, onArchived);
  if (onPaged !== undefined) {
    await dumpPages(
      gateway,
      await devToken(gateway, "reader", { admin: true }),
      heads.keys(),
      onPaged,
    );
  }
  return heads;
}
