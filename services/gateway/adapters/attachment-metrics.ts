// AttachmentMetrics: the Prometheus names and help texts of the attachments of a gateway.

import type { Counts } from "#shared/kit/counts.ts";
import type { Metrics, Reading } from "#shared/process/metrics.ts";
import type { Thumbnails } from "../runtime/thumbnails.ts";
import type { AttachmentStats } from "./attachment-stats.ts";

export interface AttachmentParts {
  readonly stats: AttachmentStats;
  readonly thumbnails: Thumbnails;
}

export function registerAttachments(
  metrics: Metrics,
  { stats, thumbnails }: AttachmentParts,
): void {
  const directions = [
    ["upload", stats.uploads],
    ["download", stats.downloads],
  ] as const;
  metrics.gauge("parley_attachment_transfers", "Uploads and downloads in progress", () =>
    directions.map(([direction, { count }]) => [{ direction }, count] as const),
  );
  metrics.gauge(
    "parley_attachment_transfers_max",
    "Uploads and downloads that may be in progress",
    () => directions.map(([direction, { bounds }]) => [{ direction }, bounds.max] as const),
  );
  metrics.counter(
    "parley_attachment_bytes_total",
    "Bytes of files that were stored, and of content that was sent",
    () => directions.map(([direction, { bytes }]) => [{ direction }, bytes] as const),
  );
  metrics.counter(
    "parley_attachment_uploads_total",
    "Uploads by outcome: stored, again, aborted, or why they were refused",
    () => byOutcome(stats.uploads.outcomes),
  );
  metrics.counter(
    "parley_attachment_downloads_total",
    "Downloads by outcome: sent, not_modified, or why they were refused",
    () => byOutcome(stats.downloads.outcomes),
  );
  metrics.counter(
    "parley_attachment_thumbnails_total",
    "Images by outcome: made, none (it cannot be decoded), full (too many waited)",
    () => byOutcome(thumbnails.outcomes),
  );
  metrics.histogram(
    "parley_attachment_thumbnail_seconds",
    "Seconds to make one thumbnail, or to find that there is none",
    () => thumbnails.seconds,
  );
}

function byOutcome(counts: Counts): Reading {
  return Array.from(counts, ([outcome, count]) => [{ outcome }, count] as const);
}
