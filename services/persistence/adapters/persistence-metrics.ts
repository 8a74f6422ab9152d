// PersistenceMetrics: the Prometheus names of a persistence process's counters.

import type { Counts } from "#shared/kit/counts.ts";
import { registerBreakers } from "#shared/process/breaker.ts";
import type { Breaker } from "#shared/process/breaker.ts";
import type { Metrics, Reading } from "#shared/process/metrics.ts";
import { registerStore } from "#shared/process/observed-store.ts";
import type { ObservedStore } from "#shared/process/observed-store.ts";
import type { ReadServer } from "./archive-postgres.ts";
import type { LeaseServer } from "./lease-server.ts";
import type { SessionServer } from "./session-server.ts";
import type { NewestPages } from "./newest-pages.ts";
import type { PageCache } from "./page-cache.ts";
import type { ReplicaReads } from "./replica-reads.ts";
import type { AttachmentSweeper } from "../runtime/attachment-sweeper.ts";
import type { LogState, LogWatch } from "../runtime/log-watch.ts";
import type { PageWarmer } from "../runtime/page-warmer.ts";
import type { SessionReaper } from "../runtime/session-reaper.ts";
import type { PersistenceStats } from "../runtime/persistence-stats.ts";
import type { SearchRunner } from "../runtime/search-runner.ts";

export interface PersistenceParts {
  readonly stats: PersistenceStats;
  readonly watch: LogWatch;
  readonly pages: PageCache;
  readonly newest: NewestPages;
  readonly warmer: PageWarmer;
  readonly leases: LeaseServer;
  readonly sessions: SessionServer;
  readonly reaper: SessionReaper;
  readonly partitions: () => number;
  readonly search: Pick<SearchRunner, "lagEvents" | "lagMs">;
  readonly breakers: readonly Breaker[];
  readonly reads: Counts<ReadServer>;
  readonly replica: ReplicaReads | undefined;
  /** Undefined: the cluster takes none. */
  readonly attachments: SweptStore | undefined;
}

interface SweptStore {
  readonly store: ObservedStore;
  readonly sweeper: AttachmentSweeper;
}

export function registerPersistence(metrics: Metrics, parts: PersistenceParts): void {
  registerArchive(metrics, parts.stats);
  registerLogs(metrics, parts.watch);
  registerBreakers(metrics, parts.breakers);
  registerSearch(metrics, parts);
  registerNewest(metrics, parts);
  registerReplica(metrics, parts.replica);
  registerAttachments(metrics, parts.attachments);
  const { pages, partitions, leases, sessions, reaper, reads } = parts;
  metrics.counter("parley_archive_reads_total", "Reads of the archive, by server", () =>
    labelled("server", reads),
  );
  metrics.counter("parley_session_requests_total", "Requests of gateways about sessions", () =>
    labelled("op", sessions.requests),
  );
  metrics.counter(
    "parley_sessions_lost_total",
    "Sessions of crashed gateways that this process ended",
    () => reaper.ended,
  );
  metrics.counter(
    "parley_leases_total",
    "Processes that were permitted to replace themselves",
    () => labelled("service", leases.given),
  );
  metrics.gauge("parley_partitions", "Partitions of the cluster", partitions);
  metrics.counter(
    "parley_history_page_hits_total",
    "History pages answered from memory",
    () => pages.hits,
  );
  metrics.counter(
    "parley_history_page_misses_total",
    "History pages read from the store",
    () => pages.misses,
  );
}

function registerNewest(metrics: Metrics, { newest, warmer }: PersistenceParts): void {
  metrics.counter(
    "parley_newest_page_hits_total",
    "Newest pages of messages answered from memory",
    () => newest.hits,
  );
  metrics.counter(
    "parley_newest_page_misses_total",
    "Newest pages of messages read from the store for a reader",
    () => newest.misses,
  );
  metrics.counter(
    "parley_newest_pages_warmed_total",
    "Newest pages of messages read ahead, at the start and when a room wakes",
    () => warmer.warmed,
  );
  metrics.counter(
    "parley_newest_pages_skipped_total",
    "Rooms that woke while too many waited, whose pages were not read ahead",
    () => warmer.skipped,
  );
  metrics.gauge("parley_newest_pages", "Newest pages in memory", () => newest.size);
  metrics.gauge(
    "parley_newest_pages_bytes",
    "Memory of the newest pages",
    () => newest.accounted.bytes,
  );
}

/** Without a replica there are no samples. */
function registerReplica(metrics: Metrics, replica: ReplicaReads | undefined): void {
  if (replica === undefined) return;
  metrics.counter(
    "parley_replica_reads_total",
    "Reads that a replica may answer: `replica`, or why the primary did",
    () => labelled("outcome", replica.outcomes),
  );
  metrics.gauge(
    "parley_replica_behind_seconds",
    "How long the primary has answered in place of the replica; 0: the replica answers",
    () => replica.behindMs / 1_000,
  );
}

/** Without attachments there are no samples. */
function registerAttachments(metrics: Metrics, parts: SweptStore | undefined): void {
  if (parts === undefined) return;
  const { store, sweeper } = parts;
  registerStore(metrics, store);
  metrics.counter(
    "parley_attachment_swept_files_total",
    "Files that were removed: of deleted messages, unsent, or not finished",
    () => sweeper.removed,
  );
  metrics.counter(
    "parley_attachment_swept_bytes_total",
    "Bytes of the files that were removed",
    () => sweeper.removedBytes,
  );
  metrics.counter(
    "parley_attachment_sweep_failures_total",
    "Passes that did not remove what they should",
    () => sweeper.failures,
  );
}

function registerSearch(metrics: Metrics, { stats, search }: PersistenceParts): void {
  metrics.gauge(
    "parley_search_lag_events",
    "Archived events that are not in the index of the search",
    () => search.lagEvents,
  );
  metrics.gauge(
    "parley_search_lag_seconds",
    "How long the oldest archived event waits for the index of the search",
    () => search.lagMs / 1_000,
  );
  metrics.counter("parley_search_events_total", "Events indexed", () => stats.searchEvents);
  metrics.counter(
    "parley_search_failures_total",
    "Calls of the indexer that PostgreSQL did not perform",
    () => stats.searchFailures,
  );
  metrics.histogram(
    "parley_search_index_seconds",
    "Seconds to index one batch",
    () => stats.searchSeconds,
  );
}

function registerArchive(metrics: Metrics, stats: PersistenceStats): void {
  metrics.counter("parley_archive_events_total", "Events stored", () => stats.events);
  metrics.counter(
    "parley_archive_quarantined_total",
    "Events that PostgreSQL refused because of their content",
    () => stats.quarantined,
  );
  metrics.counter("parley_archive_writes_total", "Batches written, by outcome", () =>
    labelled("outcome", stats.writes),
  );
  metrics.histogram(
    "parley_archive_write_seconds",
    "Seconds to write one batch to PostgreSQL",
    () => stats.writeSeconds,
  );
  metrics.histogram("parley_archive_batch_events", "Events in one batch", () => stats.batchEvents);
  metrics.counter("parley_archive_reports_total", "Reports of archive runners, by kind", () =>
    labelled("kind", stats.reports),
  );
  metrics.counter("parley_archive_trims_total", "Log trims, by outcome", () =>
    labelled("outcome", stats.trims),
  );
  metrics.counter(
    "parley_archive_lost_total",
    "Stretches of a log that are gone and were never archived: data loss",
    () => stats.lost,
  );
}

/** The process that archives a partition exports its gauges. */
function registerLogs(metrics: Metrics, watch: LogWatch): void {
  const gauge = (name: string, help: string, read: (state: LogState) => number | undefined): void =>
    metrics.gauge(name, help, () => perPartition(watch, read));
  gauge("parley_log_reachable", "1 when the stream answers, 0 when it has no leader", (state) =>
    state.isReachable ? 1 : 0,
  );
  gauge(
    "parley_archive_lag_entries",
    "Log entries that are not archived yet",
    (state) => state.lagEntries,
  );
  gauge(
    "parley_archive_lag_seconds",
    "Age of the oldest log entry that is not archived",
    (state) => state.lagSeconds,
  );
  gauge(
    "parley_log_missing_entries",
    "Archived entries above the end of the log: the log was lost",
    (s) => s.missing,
  );
  gauge(
    "parley_log_reach_seconds",
    "Age of the oldest log entry, once the log was trimmed",
    (s) => s.reachSeconds,
  );
  gauge("parley_log_bytes", "Size of the log", (state) => state.bytes);
  gauge(
    "parley_log_fill_ratio",
    "Size of the log as a share of its maximum",
    ({ bytes, bytesMax }) => (bytesMax === undefined ? undefined : bytes / bytesMax),
  );
}

function perPartition(watch: LogWatch, read: (state: LogState) => number | undefined): Reading {
  return Array.from(watch.states()).flatMap(([p, state]) => {
    const value = read(state);
    return value === undefined ? [] : [[{ partition: String(p) }, value] as const];
  });
}

function labelled(label: string, counts: Counts): Reading {
  return Array.from(counts, ([name, count]) => [{ [label]: name }, count] as const);
}
