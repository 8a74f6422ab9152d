// Verdict: everything that a live cluster holds, held against what clients recorded.
//
// Owns: the order of it (the archive first has the whole log, then everybody has read to the end, then the
// dumps are compared). Does not own: the rules (verify/checker), the clients.

import type { RoomId } from "#shared/protocol/ids.ts";
import { until } from "#shared/testing/wait.ts";
import { check } from "../checker/check.ts";
import type { Report } from "../checker/check.ts";
import { archivedThrough, devToken, dumpArchive, dumpLog, dumpPages } from "../dumps/dump.ts";
import type { HistoryRecord } from "../checker/record.ts";
import type { LoggedEntry } from "../checker/tenures.ts";
import type { Cluster } from "#infra/embedded/cluster.ts";

export interface Evidence {
  readonly cluster: Cluster;
  readonly partitions: number;
  readonly rooms: readonly RoomId[];
  /** Looked at when everybody has read to the end. */
  readonly records: Iterable<HistoryRecord>;
  /** Whether everybody has been shown their rooms up to these heads. */
  readonly isRead: (heads: ReadonlyMap<RoomId, number>) => boolean | Promise<boolean>;
  /** Whether the product's own pages are read, too: with limits on it refuses so many. */
  readonly hasPages?: boolean;
}

export interface Verdict {
  readonly report: Report;
  readonly log: readonly LoggedEntry[];
}

const PATIENCE_MS = 90_000;

/** When everything that was sent is acknowledged. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { cluster, partitions, rooms, isRead, hasPages = true } = evidence;
  const log: LoggedEntry[] = [];
  const lasts = await dumpLog(cluster.natsAccess, partitions, (entry) => log.push(entry));
  await until(
    async () => {
      const marks = await archivedThrough(cluster.databaseUrl);
      return lasts.every((last, p) => last === 0 || (marks.get(p) ?? 0) >= last);
    },
    { withinMs: PATIENCE_MS, what: "the archive to have the whole log" },
  );
  const archive: string[] = [];
  const heads = await dumpArchive(cluster.databaseUrl, (line) => archive.push(line));
  await until(() => isRead(heads), {
    withinMs: PATIENCE_MS,
    what: "everybody to have every room to its end",
  });
  const records = withEnd(evidence.records);
  if (!hasPages) return { report: check({ records, log, archive }), log };
  const pages: string[] = [];
  const token = await devToken(cluster.url, "reader");
  await dumpPages(cluster.url, token, rooms, (line) => pages.push(line));
  return { report: check({ records, log, archive, pages }), log };
}

function* withEnd(records: Iterable<HistoryRecord>): Generator<HistoryRecord> {
  yield* records;
  yield { t: performance.now(), op: "mark", what: "end" };
}
