// PersistenceStats: the plain counters of a persistence process, from the reports of its runners.
//
// Owns: numbers of all partitions together. Does not own: their names for Prometheus
// (persistence-metrics.ts), how far the log is ahead of the archive (log-watch.ts).

import { Counts } from "#shared/kit/counts.ts";
import { Histogram, LATENCY_SECONDS } from "#shared/kit/histogram.ts";
import type { ArchiveStore } from "#shared/ports/archive.ts";
import type { Clock } from "#shared/ports/clock.ts";
import type { RunnerReport } from "./archive-runner.ts";
import type { SearchReport } from "./search-runner.ts";

const BATCH_EVENTS = [1, 10, 50, 100, 200, 500, 1_000, 2_000] as const;

export class PersistenceStats {
  readonly reports = new Counts<RunnerReport["kind"]>();
  readonly trims = new Counts();
  readonly writes = new Counts();
  readonly writeSeconds = new Histogram(LATENCY_SECONDS);
  readonly batchEvents = new Histogram(BATCH_EVENTS);
  events = 0;
  quarantined = 0;
  /** Stretches of the log that are gone and were never archived: data loss. */
  lost = 0;
  /** Events that the indexer of the search has read, and its calls that failed. */
  searchEvents = 0;
  searchFailures = 0;
  readonly searchSeconds = new Histogram(LATENCY_SECONDS);

  onReport(report: RunnerReport): void {
    this.reports.add(report.kind);
    if (report.kind === "wrote") {
      this.events += report.events;
      this.quarantined += report.quarantined;
      this.batchEvents.observe(report.events);
    } else if (report.kind === "trimmed") this.trims.add(report.outcome);
    else if (report.kind === "hole" && report.lost) this.lost++;
  }

  onSearchReport(report: SearchReport): void {
    if (report.kind === "unavailable") {
      this.searchFailures++;
      return;
    }
    this.searchEvents += report.events;
    this.searchSeconds.observe(report.ms / 1_000);
  }
}

/** The same store, with its writes counted and timed. */
export function timed(
  store: ArchiveStore,
  stats: PersistenceStats,
  clock: Clock,
): Pick<ArchiveStore, "watermark" | "write"> {
  return {
    watermark: (p, claim) => store.watermark(p, claim),
    async write(batch) {
      const began = clock.monotonic();
      const outcome = await store.write(batch);
      stats.writeSeconds.observe((clock.monotonic() - began) / 1_000);
      stats.writes.add(outcome.kind);
      return outcome;
    },
  };
}
