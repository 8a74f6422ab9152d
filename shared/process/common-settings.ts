// Common settings: those that every service follows, and what metrics tell of them.

import type { LiveSettings } from "./live-settings.ts";
import type { Level, Logger } from "./logger.ts";
import { setLevel } from "./logger.ts";
import type { Metrics } from "./metrics.ts";

export function followCommonSettings(settings: LiveSettings, logger: Logger, level: Level): void {
  settings.on("log.level", level, (next) => setLevel(logger, next));
}

export function registerSettings(metrics: Metrics, settings: LiveSettings, logger: Logger): void {
  metrics.gauge(
    "parley_log_level",
    "10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal",
    () => logger.levelVal,
  );
  metrics.gauge(
    "parley_settings_revision",
    "Newest revision of the settings seen",
    () => settings.revision,
  );
  metrics.counter(
    "parley_settings_refused_total",
    "Settings that were not valid",
    () => settings.refused,
  );
}
