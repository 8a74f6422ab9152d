// Metrics: the process's numbers for Prometheus, read at each scrape.
//
// Cores and runtimes own the counters as plain numbers, so no hot path calls this file. A metric
// family is registered with a function that reads them. prom-client formats the text and observes
// the runtime (event loop, heap, garbage collection). Only this file imports it.
//
//   metrics.1. The labels of a family come from a closed set: partitions, names of tables,
//        outcomes. Never a room, a user, a message, a session, an address.
//   metrics.2. A read function that throws loses its own family, not the scrape.
//   metrics.3. The text is OpenMetrics, so that histograms may carry exemplars.

import { performance } from "node:perf_hooks";
import type { RecordableHistogram } from "node:perf_hooks";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Metric, OpenMetricsContentType } from "prom-client";
import { turnLateness } from "../adapters/clock-system.ts";
import type { Histogram } from "../kit/histogram.ts";
import { openFiles } from "./resources.ts";

export type Labels = Readonly<Record<string, string>>;
/** One number, or one for each set of labels. */
export type Reading = number | Iterable<readonly [Labels, number]>;
export type HistogramReading = Histogram | Iterable<readonly [Labels, Histogram]>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: Labels;
    readonly value: number;
    readonly timestamp: number;
  };
}

/**
 * The library's own measure of the event loop wakes the process at each of its samples, and no
 * option leaves it out. A day in ms, so that it takes none.
 */
const NO_SAMPLES_MS = 86_400_000;
const OPEN_FILES = "process_open_fds";
const LOOP_LAGS: readonly (readonly [string, string, (h: RecordableHistogram) => number])[] = [
  ["min", "Least", (lags) => lags.min],
  ["max", "Largest", (lags) => lags.max],
  ["mean", "Mean", (lags) => lags.mean],
  ["stddev", "Standard deviation of the", (lags) => lags.stddev],
  ["p50", "50th percentile of the", (lags) => lags.percentile(50)],
  ["p90", "90th percentile of the", (lags) => lags.percentile(90)],
  ["p99", "99th percentile of the", (lags) => lags.percentile(99)],
];

export class Metrics {
  readonly #registry = new Registry<OpenMetricsContentType>();
  #broken = 0;

  constructor(options: { readonly service: string; readonly version: string }) {
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: NO_SAMPLES_MS,
    });
    this.#registerLoopLags();
    // The library lists them (resources.3).
    this.#registry.removeSingleMetric(OPEN_FILES);
    this.gauge(OPEN_FILES, "Number of open file descriptors", () => openFiles() ?? []);
    this.gauge("parley_build_info", "Always 1; its labels name the running version", () => [
      [{ service: options.service, version: options.version, node: process.version }, 1],
    ]);
    let before = performance.eventLoopUtilization();
    this.gauge(
      "parley_event_loop_utilisation",
      "Busy share of the event loop since the last scrape",
      () => {
        const now = performance.eventLoopUtilization();
        const { utilization } = performance.eventLoopUtilization(now, before);
        before = now;
        return utilization;
      },
    );
    this.counter("parley_metrics_broken_total", "Read functions that threw", () => this.#broken);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  counter(name: string, help: string, read: () => Reading): void {
    this.#register("counter", name, help, () => samplesOf(read()));
  }

  gauge(name: string, help: string, read: () => Reading): void {
    this.#register("gauge", name, help, () => samplesOf(read()));
  }

  histogram(name: string, help: string, read: () => HistogramReading): void {
    this.#register("histogram", name, help, () => {
      const reading = read();
      const parts = "counts" in reading ? ([[{}, reading]] as const) : reading;
      return [...parts].flatMap(([labels, histogram]) => bucketsOf(name, labels, histogram));
    });
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /**
   * The lateness of periodic work since the last scrape, under the names that the library gives to
   * what it measures with a timer of its own. p99 comes last, and begins the next measure.
   */
  #registerLoopLags(): void {
    for (const [name, what, of] of LOOP_LAGS) {
      const full = `nodejs_eventloop_lag_${name}_seconds`;
      this.#registry.removeSingleMetric(full);
      this.gauge(full, `${what} lateness of periodic work since the last scrape`, () => {
        const seconds = turnLateness.count === 0 ? 0 : of(turnLateness) / 1e9;
        if (name === "p99") turnLateness.reset();
        return seconds;
      });
    }
  }

  #register(
    type: "counter" | "gauge" | "histogram",
    name: string,
    help: string,
    read: () => Sample[],
  ): void {
    const family = {
      name,
      help,
      type,
      aggregator: "sum",
      reset: () => undefined,
      get: async () => {
        const { name: shown } = family; // OpenMetrics names a counter without its suffix.
        return Promise.resolve({ name: shown, help, type, values: this.#guard(read) });
      },
    };
    // The registry uses only these members of a metric; prom-client's own classes keep their
    // numbers.
    this.#registry.registerMetric(family as unknown as Metric);
  }

  #guard(read: () => Sample[]): Sample[] {
    try {
      return read();
    } catch {
      this.#broken++; // metrics.2
      return [];
    }
  }
}

function samplesOf(reading: Reading): Sample[] {
  if (typeof reading === "number") return [{ labels: {}, value: reading }];
  return Array.from(reading, ([labels, value]) => ({ labels, value }));
}

function bucketsOf(name: string, labels: Labels, histogram: Histogram): Sample[] {
  let total = 0;
  const buckets = histogram.counts.map((count, index): Sample => {
    total += count;
    const le = index < histogram.edges.length ? String(histogram.edges[index]) : "+Inf";
    const seen = histogram.exemplarOf(index);
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: total,
      ...(seen && {
        exemplar: {
          labelSet: { trace_id: seen.traceId },
          value: seen.value,
          timestamp: seen.atSeconds,
        },
      }),
    };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: histogram.sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
