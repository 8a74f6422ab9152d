// Operations: everything that an operator uses on a running service: metrics, health, settings and
// control. `openOperations` opens them together; main.ts passes the parts that differ by service.

import { systemClock, systemRandom } from "../adapters/clock-system.ts";
import { openBusLeases } from "../adapters/leases-over-bus.ts";
import type { Bus } from "../ports/bus.ts";
import type { SettingsStore } from "../ports/settings-store.ts";
import type { NodeKind, ProcessId } from "../protocol/ids.ts";
import type { LeaseName } from "../protocol/leases.ts";
import type { ServiceConfig } from "./config.ts";
import { openControl } from "./control.ts";
import type { ControlOptions } from "./control.ts";
import { leak } from "./debug-leak.ts";
import { openForecast } from "./forecast.ts";
import type { HeapReading, ServiceResources } from "./forecast.ts";
import { LiveSettings } from "./live-settings.ts";
import { standardOutput } from "./log-output.ts";
import type { Level, Logger } from "./logger.ts";
import { setLevel } from "./logger.ts";
import { Metrics } from "./metrics.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { SelfHealing } from "./self-healing.ts";
import { EXIT_REPLACED } from "./shutdown.ts";
import type { Shutdown } from "./shutdown.ts";

export interface OperationsOptions extends Pick<ControlOptions, "describe" | "rooms" | "kick"> {
  readonly id: ProcessId;
  readonly kind: NodeKind;
  readonly version: string;
  readonly level: Level;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly settings: SettingsStore;
  readonly shutdown: Shutdown;
  readonly host: string;
  /**
   * The port of metrics and health; 0: any free one; undefined: the service serves them on its own
   * port.
   */
  readonly port: number | undefined;
  /**
   * The reason why the process cannot serve, if there is one. By default: no connection to NATS.
   */
  readonly missing?: () => string | undefined;
  readonly register: (metrics: Metrics) => void;
  readonly follow?: (settings: LiveSettings) => void;
  readonly resources?: ServiceResources;
  /** The service's configuration: self-healing and the switches of drills. */
  readonly config: ServiceConfig;
  /** Services that replace a process with a full heap (self-healing.ts). */
  readonly healing?: {
    readonly service: LeaseName;
    /** self-healing.4. */
    readonly hasReplacement?: () => boolean;
  };
}

export interface Operations {
  readonly metrics: Metrics;
  /** The URL of /metrics; undefined when the service serves it on its own port. */
  readonly url: string | undefined;
}

/** Rejects when the port is not free. */
export async function openOperations(options: OperationsOptions): Promise<Operations> {
  const { kind, version, logger, level, shutdown, host, port, bus } = options;
  const isCut = (): string | undefined =>
    bus.status === "connected" ? undefined : "NATS is not connected";
  const { missing = isCut } = options;
  const live = new LiveSettings(kind, logger);
  live.on("log.level", level, (next) => setLevel(logger, next));
  options.follow?.(live);
  const following = live.follow(options.settings);
  shutdown.add("settings", () => Promise.resolve(following.unsubscribe()));

  const metrics = new Metrics({ service: kind, version });
  options.register(metrics);
  registerSettings(metrics, live, logger);
  registerBus(metrics, bus);
  registerLogs(metrics);
  const forecasts = openForecast({
    ...options.resources,
    clock: systemClock,
    logger,
    metrics,
    shutdown,
    speed: options.config.DEBUG_FORECAST_SPEED,
    onHeap: openSelfHealing(options),
  });
  startLeak(options);
  const server =
    port === undefined ? undefined : await openMetricsServer({ host, port, metrics, missing });
  if (server !== undefined) shutdown.add("metrics", () => server.close());

  const describe = (): ReturnType<typeof options.describe> => ({
    ...options.describe(),
    forecasts: forecasts.statuses(),
  });
  const control = openControl({ ...options, describe, drain: () => void shutdown.stop("drained") });
  shutdown.add("control", () => Promise.resolve(control.unsubscribe()));
  return { metrics, url: server?.url };
}

/** What happens after each major collection. */
function openSelfHealing(options: OperationsOptions): (heap: HeapReading) => void {
  const { healing, config, bus, id, logger, shutdown } = options;
  if (healing === undefined || config.SELF_HEALING === "off") return () => undefined;
  const { service: name, hasReplacement } = healing;
  const self = new SelfHealing({
    request: { name, by: id },
    afterMs: config.SELF_HEALING_AFTER_S * 1_000,
    clock: systemClock,
    random: systemRandom,
    leases: openBusLeases(bus),
    logger,
    ...(hasReplacement !== undefined && { hasReplacement }),
    replace: () => void shutdown.stop("the heap is full", EXIT_REPLACED),
  });
  return (heap) => self.onHeap(heap);
}

function startLeak({ config, logger, shutdown }: OperationsOptions): void {
  const { DEBUG_LEAK_KIB_S: kibPerSecond, DEBUG_LEAK_MAX_MIB: maxMib } = config;
  if (kibPerSecond === undefined) return;
  leak({ kibPerSecond, maxMib, clock: systemClock, logger, shutdown });
}

function registerLogs(metrics: Metrics): void {
  const output = standardOutput();
  metrics.counter(
    "parley_log_lines_dropped_total",
    "Log lines dropped because the reader was too slow or gone",
    () => output.dropped,
  );
  metrics.gauge(
    "parley_log_waiting_bytes",
    "Bytes of log lines that wait for their reader",
    () => output.waiting,
  );
}

function registerBus(metrics: Metrics, bus: Bus): void {
  metrics.counter(
    "parley_bus_dropped_total",
    "Publishes dropped because there was no connection",
    () => bus.counts.dropped,
  );
  metrics.counter(
    "parley_bus_too_large_total",
    "Publishes refused because their payload was too large",
    () => bus.counts.tooLarge,
  );
}

function registerSettings(metrics: Metrics, live: LiveSettings, logger: Logger): void {
  metrics.gauge(
    "parley_log_level",
    "10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal",
    () => logger.levelVal,
  );
  metrics.gauge(
    "parley_settings_revision",
    "Newest revision of the settings that this process has seen",
    () => live.revision,
  );
  metrics.counter(
    "parley_settings_refused_total",
    "Settings refused because their name or value was not valid",
    () => live.refused,
  );
}
