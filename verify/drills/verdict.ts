// Verdict: compares what a live cluster stores with what its clients recorded.
//
// Owns: the order of the steps (dump the cluster, wait until the clients have read every room, run
// the checker). Does not own: the rules (verify/checker), the clients.

import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { check } from "../checker/check.ts";
import type { Report } from "../checker/check.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";
import { dumpCluster } from "../dumps/dump-cluster.ts";

export interface Evidence {
  readonly cluster: Pick<Cluster, "natsAccess" | "databaseUrl" | "url">;
  readonly partitions: number;
  /** Read after `isRead` returned true. */
  readonly records: Iterable<HistoryRecord>;
  /** Whether every client has received its rooms up to these heads. */
  readonly isRead: (heads: ReadonlyMap<RoomId, number>) => boolean | Promise<boolean>;
  /** Whether to read the history over HTTP. With limits on, the gateway refuses so many pages. */
  readonly hasPages?: boolean;
}

export interface Verdict {
  readonly report: Report;
  readonly log: readonly LoggedEntry[];
}

const READ_WITHIN_MS = 90_000;

/** Call it when every send is acknowledged. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { cluster, partitions, isRead, hasPages = true } = evidence;
  const { natsAccess: nats, databaseUrl, url: gateway } = cluster;
  const log: LoggedEntry[] = [];
  const archive: string[] = [];
  const pages: string[] = [];
  const heads = await dumpCluster(
    { nats, databaseUrl, gateway, partitions },
    {
      onEntry: (entry) => log.push(entry),
      onArchived: (line) => archive.push(line),
      ...(hasPages && { onPaged: (line: string) => pages.push(line) }),
    },
  );
  await until(() => isRead(heads), {
    withinMs: READ_WITHIN_MS,
    what: "every client to have read its rooms to the head",
  });
  const records = withEnd(evidence.records);
  return { report: check({ records, log, archive, ...(hasPages && { pages }) }), log };
}

function* withEnd(records: Iterable<HistoryRecord>): Generator<HistoryRecord> {
  yield* records;
  yield { t: performance.now(), op: "mark", what: "end" };
}
