// Forecast: the resources of this process that can be exhausted, as metrics and log lines.
//
// Owns: the samples of a process, their metrics, the log lines. Does not own: the forecast
// (kit/foresight.ts), the sensor of the heap (heap-sensor.ts), what an operator does.
//
//   forecast.1. The first major collection and then at most one in LINE_MS writes one `memory`
//        line, with everything that `parley forecast --logs` needs: a process that leaks logs
//        nothing else before it ends.
//   forecast.2. A resource that will be exhausted writes one warning and counts once, until it was
//        absent for QUIET_MS. The warning names the kind of operation that grows with the heap, if
//        one does (kit/blame.ts).
//   forecast.3. A resource without a forecast has no sample of `parley_forecast_seconds`.
//   forecast.4. `onHeap` is called after each major collection.

import type { Clock } from "../ports/clock.ts";
import { Blame } from "../kit/blame.ts";
import type { Blamed } from "../kit/blame.ts";
import { Counts } from "../kit/counts.ts";
import { Foresight, NOTHING_ACCOUNTED, RESOURCES, unexplained } from "../kit/foresight.ts";
import type { Accounted, Resource, Usage } from "../kit/foresight.ts";
import type { ForecastStatus } from "../protocol/control.ts";
import type { Millis } from "../protocol/ids.ts";
import type { Logger } from "./logger.ts";
import { templatesOf } from "./logger.ts";
import type { Labels, Metrics } from "./metrics.ts";
import { openHeapSensor } from "./heap-sensor.ts";
import { openResources } from "./resources.ts";
import type { Usages } from "./resources.ts";
import type { Shutdown } from "./shutdown.ts";

const LINE_MS = 10_000;
const SAMPLE_MS = 30_000;
const QUIET_MS = 600_000;
const HOUR_MS = 3_600_000;

/** What only the service knows about its resources. */
export interface ServiceResources {
  /** The bounded stores of the process (foresight.1). */
  readonly accounted?: () => Accounted;
  /** Further resources that the service watches anyway. */
  readonly usages?: () => Usages;
  /** How often each kind of operation happened (kit/blame.ts). */
  readonly operations?: () => Readonly<Record<string, number>>;
  /** forecast.4. */
  readonly onHeap?: (heap: HeapReading) => void;
}

/** Of one major collection. */
export interface HeapReading {
  readonly live: number;
  readonly limit: number;
}

export interface ForecastOptions extends ServiceResources {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
  /** How many times faster than normal the process samples its resources (config.ts). */
  readonly speed?: number;
  /** Tests report collections that did not happen. */
  readonly openSensor?: typeof openHeapSensor;
}

/** The present forecasts, for `parley status` and `parley forecast`. */
export interface Forecasts {
  statuses(): readonly ForecastStatus[];
}

export function openForecast(options: ForecastOptions): Forecasts {
  const { clock, metrics, shutdown, usages = () => [], speed = 1 } = options;
  const { openSensor = openHeapSensor } = options;
  const heap = new Heap(options);
  const resources = openResources();
  const latest = new Map<Resource, Usage>();
  const sensor = openSensor({
    clock,
    speed,
    onLive: (live) => heap.onLive({ live, limit: sensor.limit }, latest),
  });
  const { foresight } = heap;
  const sampling = clock.every(SAMPLE_MS / speed, () => {
    for (const [resource, usage] of [...resources(), ...usages()]) {
      latest.set(resource, usage);
      foresight.add(resource, usage, clock.monotonic());
    }
    heap.announce();
  });
  shutdown.add("forecast", () => {
    sampling.cancel();
    sensor.close();
    return Promise.resolve();
  });
  registerForecast(metrics, {
    live: () => heap.live,
    limit: sensor.limit,
    foretold: heap.foretold,
    forecasts: () => [...foresight.forecasts(clock.monotonic())],
  });
  return {
    statuses: () =>
      Array.from(foresight.forecasts(clock.monotonic()), ([resource, forecast]) => ({
        resource,
        earliestSeconds: Math.round(forecast.earliestMs / 1_000),
        medianSeconds: Math.round(forecast.medianMs / 1_000),
        latestSeconds: Math.round(forecast.latestMs / 1_000),
        ...heap.blamed(resource),
      })),
  };
}

/** The heap of the process, and the log lines about all of its resources. */
class Heap {
  readonly foresight = new Foresight();
  readonly foretold = new Counts<Resource>(RESOURCES);
  live = 0;
  readonly #options: ForecastOptions;
  readonly #blame = new Blame();
  readonly #announced = new Map<Resource, Millis>();
  #writtenAt = -Infinity;

  constructor(options: ForecastOptions) {
    this.#options = options;
  }

  onLive({ live, limit }: HeapReading, others: ReadonlyMap<Resource, Usage>): void {
    const { clock, logger, onHeap, accounted, operations } = this.#options;
    this.live = live;
    const at = clock.monotonic();
    const stores = accounted === undefined ? NOTHING_ACCOUNTED : accounted();
    const usage = unexplained(live, limit, stores);
    this.foresight.add("heap", usage, at);
    const counted = Object.entries(operations === undefined ? {} : operations());
    const counts = new Map([...templatesOf(logger), ...counted]);
    this.#blame.add({ at, bytes: usage.value, counts });
    this.announce();
    onHeap?.({ live, limit }); // forecast.4
    if (at - this.#writtenAt < LINE_MS) return; // forecast.1
    this.#writtenAt = at;
    const { bytes, bytesMax } = stores;
    const line = { live, limit, accounted: bytes, accountedMax: bytesMax };
    logger.info({ ...line, others: Object.fromEntries(others) }, "memory");
  }

  /** forecast.2. */
  announce(): void {
    const { clock, logger } = this.#options;
    const now = clock.monotonic();
    for (const [resource, { medianMs, perMs }] of this.foresight.forecasts(now)) {
      const before = this.#announced.get(resource) ?? -Infinity;
      this.#announced.set(resource, now);
      if (now - before < QUIET_MS) continue;
      this.foretold.add(resource);
      const seconds = Math.round(medianMs / 1_000);
      const detail = {
        resource,
        seconds,
        perHour: Math.round(perMs * HOUR_MS),
        ...this.blamed(resource),
      };
      logger.warn(detail, "exhaustion foretold");
    }
  }

  blamed(resource: Resource): { readonly blamed?: string } {
    const { blamed } = this.#blame;
    return resource === "heap" && blamed !== undefined ? { blamed: textOf(blamed) } : {};
  }
}

function textOf({ what, bytes }: Blamed): string {
  const size = bytes < 10_000 ? `${Math.round(bytes)} bytes` : `${Math.round(bytes / 1_000)} kB`;
  return `${size} stay per ${what}`;
}

function registerForecast(
  metrics: Metrics,
  parts: {
    readonly live: () => number;
    readonly limit: number;
    readonly foretold: Counts<Resource>;
    readonly forecasts: () => readonly Entry[];
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
    () => parts.forecasts().flatMap(samplesOf),
  );
  metrics.counter("parley_forecasts_total", "Times that an exhaustion was foretold", () =>
    Array.from(parts.foretold, ([resource, count]) => [{ resource }, count] as const),
  );
}

type Entry = ReturnType<Foresight["forecasts"]> extends Iterable<infer E> ? E : never;

/** forecast.3. */
function samplesOf([resource, forecast]: Entry): readonly (readonly [Labels, number])[] {
  return [
    [{ resource, bound: "earliest" }, forecast.earliestMs / 1_000],
    [{ resource, bound: "median" }, forecast.medianMs / 1_000],
    [{ resource, bound: "latest" }, forecast.latestMs / 1_000],
  ];
}
