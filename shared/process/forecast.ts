// Forecast: the resources of this process that can be exhausted, and when they will be.
//
// Owns: one trend for each resource, their metrics, and the log lines. Does not own: the estimate
// (kit/trend.ts), the sensor of the heap (heap-sensor.ts), what an operator does.
//
//   forecast.1. Growth that a bounded store explains is no growth: the bytes that the stores of the
//        process account for are subtracted from the live heap, and their bound from the limit.
//   forecast.2. Each major collection writes one `memory` line with live bytes, limit and accounted
//        bytes, at most one in LINE_MS: a process that leaks logs nothing else before it ends.
//   forecast.3. A resource without a forecast has no sample of `parley_forecast_seconds`.

import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../ports/clock.ts";
import { Trend } from "../kit/trend.ts";
import type { Logger } from "./logger.ts";
import type { Labels, Metrics } from "./metrics.ts";
import { openHeapSensor } from "./heap-sensor.ts";
import type { Shutdown } from "./shutdown.ts";

/** V8 ends a process between 0.88 and 0.92 of the limit (measured with Node 24). */
export const HEAP_SHARE = 0.88;
const LINE_MS = 10_000;
const SAMPLE_MS = 30_000;
const MIB = 1024 * 1024;

/** The bounded stores of a process: what they hold now, and the most that they will hold. */
export interface Accounted {
  readonly bytes: number;
  readonly bytesMax: number;
}

export interface ForecastOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
  readonly accounted: () => Accounted;
}

export const NOTHING_ACCOUNTED: Accounted = { bytes: 0, bytesMax: 0 };

export function openForecast(options: ForecastOptions): void {
  const { clock, logger, metrics, shutdown, accounted } = options;
  let live = 0;
  let written = -Infinity;
  const trends = new Map<string, Trend>();
  const add = (resource: string, value: number, limit: number): void => {
    let trend = trends.get(resource);
    if (trend === undefined) trends.set(resource, (trend = new Trend(limit)));
    trend.limit = limit;
    trend.add({ at: clock.monotonic(), value });
  };
  const sensor = openHeapSensor({
    clock,
    onLive: (bytes) => {
      live = bytes;
      const stores = accounted();
      const { value, limit } = unexplained(bytes, sensor.limit, stores);
      add("heap", value, limit);
      const now = clock.monotonic();
      if (now - written < LINE_MS) return;
      written = now;
      logger.info({ live: bytes, limit: sensor.limit, accounted: stores.bytes }, "memory");
    },
  });
  const rssMax = memoryMax();
  const filesMax = openFilesMax();
  const sampling = clock.every(SAMPLE_MS, () => {
    if (rssMax !== undefined) add("rss", process.memoryUsage.rss(), rssMax);
    const files = openFiles();
    if (files !== undefined && filesMax !== undefined) add("files", files, filesMax);
  });
  shutdown.add("forecast", () => {
    sampling.cancel();
    sensor.close();
    return Promise.resolve();
  });
  registerForecast(metrics, { live: () => live, limit: sensor.limit, trends });
}

/** forecast.1: live bytes that no bounded store explains, and the most that they may become. */
export function unexplained(
  live: number,
  limit: number,
  stores: Accounted,
): { readonly value: number; readonly limit: number } {
  return {
    value: Math.max(0, live - stores.bytes),
    limit: Math.max(MIB, HEAP_SHARE * limit - stores.bytesMax),
  };
}

function registerForecast(
  metrics: Metrics,
  parts: {
    readonly live: () => number;
    readonly limit: number;
    readonly trends: ReadonlyMap<string, Trend>;
  },
): void {
  metrics.gauge(
    "parley_heap_live_bytes",
    "Bytes of the heap in use after the last major collection",
    parts.live,
  );
  metrics.gauge(
    "parley_heap_limit_bytes",
    "Bytes of the old generation at which V8 ends the process",
    () => parts.limit,
  );
  metrics.gauge(
    "parley_forecast_seconds",
    "Seconds until a resource is exhausted, if it grows",
    () => Array.from(parts.trends, ([resource, trend]) => samplesOf(resource, trend)).flat(),
  );
}

/** forecast.3. */
function samplesOf(resource: string, { forecast }: Trend): readonly (readonly [Labels, number])[] {
  if (forecast === undefined) return [];
  return [
    [{ resource, bound: "earliest" }, forecast.earliestMs / 1_000],
    [{ resource, bound: "median" }, forecast.medianMs / 1_000],
    [{ resource, bound: "latest" }, forecast.latestMs / 1_000],
  ];
}

/** The memory limit of the control group in bytes; undefined without one. */
function memoryMax(): number | undefined {
  const limit = process.constrainedMemory();
  // Without a limit the kernel reports a number near 2^63.
  return limit > 0 && limit < 2 ** 50 ? limit : undefined;
}

function openFiles(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined; // Not Linux.
  }
}

function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // Not Linux.
  }
}
