// Dashboards of Parley as a table of panels: `node infra/grafana/dashboards.ts` writes the JSON
// files that Grafana loads. As JSON, 30 panels would be 2,000 lines, in which a change is hard to
// find.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Panel {
  readonly title: string;
  /** Grafana's names: s, short, percentunit, bytes, ops. */
  readonly unit: string;
  /** Legend → query. */
  readonly queries: Readonly<Record<string, string>>;
  /** Shows the traces of slow buckets. */
  readonly exemplars?: true;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const quantile = (share: number, metric: string): string =>
  `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket[1m])))`;
const latency = (title: string, metric: string): Panel => ({
  title,
  unit: "s",
  queries: {
    p50: quantile(0.5, metric),
    p99: quantile(0.99, metric),
    "p99.9": quantile(0.999, metric),
  },
  exemplars: true,
});
const rate = (title: string, queries: Readonly<Record<string, string>>): Panel => ({
  title,
  unit: "ops",
  queries: Object.fromEntries(
    Object.entries(queries).map(([legend, metric]) => [legend, `sum(rate(${metric}[1m]))`]),
  ),
});
const by = (title: string, label: string, metric: string, unit = "ops"): Panel => ({
  title,
  unit,
  queries: { [`{{${label}}}`]: `sum by (${label}) (rate(${metric}[1m]))` },
});
const gauge = (title: string, unit: string, queries: Readonly<Record<string, string>>): Panel => ({
  title,
  unit,
  queries,
});

/** SLO 1 of infra/prometheus/rules.yml, for each gateway. Without Kubernetes `pod` is absent. */
const GOOD_SENDS =
  'sum by (pod, instance) (rate(parley_gateway_send_seconds_bucket{le="0.5"}[1m]))';
const ALL_SENDS =
  'sum by (pod, instance) (rate(parley_gateway_sends_total{outcome!~"bad_id|not_found|forbidden"}[1m]))';

export const DASHBOARDS: readonly Dashboard[] = [
  {
    uid: "parley-overview",
    title: "Parley: overview",
    panels: [
      by("Sends by outcome", "outcome", "parley_gateway_sends_total"),
      latency("Send → ack", "parley_gateway_send_seconds"),
      latency("Arrival of lines → written to every live member", "parley_gateway_delivery_seconds"),
      gauge("Sends that fail or are slow (SLO 0.1 %)", "percentunit", {
        "5 min": "1 - parley:sends_good:rate5m / parley:sends:rate5m",
        "1 h": "1 - parley:sends_good:rate1h / parley:sends:rate1h",
      }),
      gauge("Sockets", "short", { "{{instance}}": "parley_gateway_connections" }),
      gauge("Partitions without an owner", "short", {
        ownerless:
          "max(parley_partitions) - (count(count by (partition) (parley_room_partition_epoch)) or vector(0))",
      }),
      gauge("Archive lag", "s", { worst: "max(parley_archive_lag_seconds)" }),
      by("Errors sent to clients", "name", "parley_gateway_errors_total"),
      // The gateways of a canary beside the others.
      gauge("Sends that fail or are slow, by gateway", "percentunit", {
        "{{pod}} {{instance}}": `1 - ${GOOD_SENDS} / (${ALL_SENDS} > 0)`,
      }),
      gauge("Connections closed by gateways (exception, overload, bad token)", "ops", {
        "{{pod}} {{instance}}":
          'sum by (pod, instance) (rate(parley_gateway_closes_total{code=~"1006|1013|4500"}[1m]))',
      }),
    ],
  },
  {
    uid: "parley-path",
    title: "Parley: the path of a message",
    panels: [
      rate("Frames, commands, events, lines", {
        "frames in": "parley_gateway_frames_in_total",
        commands: "parley_room_commands_total",
        "events committed": "parley_room_events_total",
        "events archived": "parley_archive_events_total",
      }),
      gauge("Unanswered commands", "short", {
        "{{instance}}": "parley_gateway_lane_unanswered",
      }),
      latency("Append → answer of the log", "parley_room_append_seconds"),
      gauge("Events per commit", "short", {
        p50: quantile(0.5, "parley_room_entry_events"),
        p99: quantile(0.99, "parley_room_entry_events"),
      }),
      latency("Cost of one flush", "parley_gateway_flush_seconds"),
      rate("Lines written to members", { lines: "parley_gateway_lines_out_total" }),
      rate("Readers", {
        chunks: "parley_gateway_chunks_total",
        fetches: "parley_gateway_fetches_total",
        "holes repaired": "parley_gateway_holes_total",
        "fell behind": "parley_gateway_slow_readers_total",
      }),
      rate("Owners", {
        claims: "parley_room_claims_total",
        fenced: "parley_room_fenced_total",
        "lanes sent again": "parley_gateway_resyncs_total",
      }),
    ],
  },
  {
    uid: "parley-storage",
    title: "Parley: storage",
    panels: [
      gauge("Log fill", "percentunit", { "{{partition}}": "parley_log_fill_ratio" }),
      gauge("Entries not archived", "short", { "{{partition}}": "parley_archive_lag_entries" }),
      gauge("Age of the oldest entry not archived", "s", {
        "{{partition}}": "parley_archive_lag_seconds",
      }),
      gauge("Reachable logs", "short", { logs: "sum(parley_log_reachable)" }),
      by("Batches written to PostgreSQL", "outcome", "parley_archive_writes_total"),
      latency("Time per batch", "parley_archive_write_seconds"),
      gauge("Events per batch", "short", {
        p50: quantile(0.5, "parley_archive_batch_events"),
        p99: quantile(0.99, "parley_archive_batch_events"),
      }),
      rate("History pages", {
        "from memory": "parley_history_page_hits_total",
        "from PostgreSQL": "parley_history_page_misses_total",
      }),
      by("Uploads of attachments by outcome", "outcome", "parley_attachment_uploads_total"),
      by("Downloads of attachments by outcome", "outcome", "parley_attachment_downloads_total"),
      gauge("Time per operation of the store of attachments (p99)", "s", {
        "{{op}}":
          "histogram_quantile(0.99, sum by (op, le) (rate(parley_attachment_store_seconds_bucket[1m])))",
      }),
      by("Failures of the store of attachments", "op", "parley_attachment_store_errors_total"),
    ],
  },
  {
    uid: "parley-processes",
    title: "Parley: processes",
    panels: [
      gauge("Event loop, busy share", "percentunit", {
        "{{instance}}": "parley_event_loop_utilisation",
      }),
      gauge("Event loop lag (p99)", "s", { "{{instance}}": "nodejs_eventloop_lag_p99_seconds" }),
      gauge("CPU", "percentunit", { "{{instance}}": "rate(process_cpu_seconds_total[1m])" }),
      gauge("Heap", "bytes", { "{{instance}}": "nodejs_heap_size_used_bytes" }),
      gauge("Resident", "bytes", { "{{instance}}": "process_resident_memory_bytes" }),
      gauge("Collections", "percentunit", {
        "{{instance}}": "sum by (instance) (rate(nodejs_gc_duration_seconds_sum[1m]))",
      }),
      gauge("Rooms in memory", "short", {
        "{{instance}} feeds": "parley_gateway_rooms",
        "{{instance}} actors": "parley_room_rooms",
      }),
      gauge("Up", "short", { "{{instance}}": "up" }),
    ],
  },
];

const COLUMNS = 2;
const [WIDTH, HEIGHT] = [24 / COLUMNS, 8];

export function toGrafana({ uid, title, panels }: Dashboard): object {
  const datasource = { type: "prometheus", uid: "prometheus" };
  return {
    uid,
    title,
    tags: ["parley"],
    schemaVersion: 39,
    refresh: "10s",
    time: { from: "now-30m", to: "now" },
    panels: panels.map((panel, index) => ({
      id: index + 1,
      type: "timeseries",
      title: panel.title,
      datasource,
      gridPos: {
        x: (index % COLUMNS) * WIDTH,
        y: Math.floor(index / COLUMNS) * HEIGHT,
        w: WIDTH,
        h: HEIGHT,
      },
      fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
      targets: Object.entries(panel.queries).map(([legendFormat, expr], at) => ({
        refId: String.fromCodePoint(65 + at),
        datasource,
        expr,
        legendFormat,
        exemplar: panel.exemplars === true,
      })),
    })),
  };
}

export function textOf(dashboard: Dashboard): string {
  return `${JSON.stringify(toGrafana(dashboard), undefined, 2)}\n`;
}

if (import.meta.main) {
  for (const dashboard of DASHBOARDS) {
    const path = new URL(`dashboards/${dashboard.uid}.json`, import.meta.url);
    writeFileSync(fileURLToPath(path), textOf(dashboard));
  }
}
