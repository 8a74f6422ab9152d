// Persistence: wiring only. Builds the ports top to bottom and stops them in reverse.

import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import type { NatsBus } from "#shared/adapters/bus-nats.ts";
import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { openNatsLog, withTrimmer } from "#shared/adapters/log-nats.ts";
import { BUCKETS } from "#shared/adapters/nats-provision.ts";
import { openNatsTable } from "#shared/adapters/table-nats.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import { configOrEnd, giveUp } from "#shared/process/give-up.ts";
import { announceReady } from "#shared/process/health.ts";
import { newProcessId } from "#shared/process/ids.ts";
import { createLogger } from "#shared/process/logger.ts";
import { openOperations } from "#shared/process/operations.ts";
import { Shutdown } from "#shared/process/shutdown.ts";
import { startTelemetry } from "#shared/process/telemetry.ts";
import { PostgresArchive } from "./adapters/archive-postgres.ts";
import { HistoryServer } from "./adapters/history-server.ts";
import { claimPartitions, migrate } from "./adapters/migrate.ts";
import { PageCache } from "./adapters/page-cache.ts";
import { TableServer } from "./adapters/table-server.ts";
import { catchUp } from "./runtime/catch-up.ts";
import { configSchema, databaseUrl } from "./config.ts";
import { LIMITS } from "./core/archiving.ts";
import { LogWatch, logStatuses } from "./runtime/log-watch.ts";
import { PersistenceNode } from "./runtime/persistence-node.ts";
import { registerPersistence } from "./adapters/persistence-metrics.ts";
import { PersistenceStats, timed } from "./runtime/persistence-stats.ts";
import { ArchiveRunner } from "./runtime/archive-runner.ts";
import type { WorkerReport } from "./runtime/archive-runner.ts";

/** A write in flight ends within its statement timeout. */
const STOP_DEADLINE_MS = 35_000;
/** Reports of ordinary work; the others are rare and somebody may want to know. */
const ORDINARY: ReadonlySet<string> = new Set<WorkerReport["kind"]>(["wrote", "loaded", "trimmed"]);

const id = newProcessId("pers");
const logger = createLogger({ name: id });
const config = configOrEnd(configSchema, logger);
logger.level = config.LOG_LEVEL;
const database = databaseUrl(config);
const shutdown = new Shutdown(logger, { deadlineMs: STOP_DEADLINE_MS });
shutdown.listen();

const telemetry = await startTelemetry({ service: "persistence", instance: id });
shutdown.add("telemetry", () => telemetry.stop());

const prepared = migrate({ url: database }).then(() =>
  claimPartitions(database, config.PARTITIONS),
);
await prepared.catch((error: unknown) =>
  giveUp(logger, "PostgreSQL is not usable", { host: hostOf(database) }, error),
);
const store = new PostgresArchive({
  url: database,
  ...(config.DATABASE_REPLICA_URL !== undefined && { replicaUrl: config.DATABASE_REPLICA_URL }),
  onIdleError: (reason) => logger.warn({ reason }, "an idle database connection broke"),
});
shutdown.add("archive", () => store.close());

const bus = await openNatsBus({
  url: config.NATS_URL,
  nkeyFile: config.NATS_NKEY_FILE,
  name: id,
  inboxPrefix: `_INBOX_pers.${id}`,
  logger,
}).catch((error: unknown) =>
  giveUp(logger, "NATS is not reachable", { url: config.NATS_URL }, error),
);
shutdown.add("bus", () => bus.close());
const trimmer = await openTrimmer();
const log = withTrimmer(openNatsLog(bus), openNatsLog(trimmer));

const version = process.env["npm_package_version"] ?? "dev";
const stats = new PersistenceStats();
const node = new PersistenceNode({
  id,
  partitions: config.PARTITIONS,
  version,
  bus,
  clock: systemClock,
  createWorker: (p) =>
    new ArchiveRunner(
      p,
      {
        log,
        store: timed(store, stats, systemClock),
        bus,
        clock: systemClock,
        random: systemRandom,
        tracer: telemetry.tracer,
        onReport: (partition, report) => {
          stats.onReport(report);
          const level = ORDINARY.has(report.kind) ? "debug" : "warn";
          logger[level]({ p: partition, ...report }, "archive");
        },
      },
      { ...LIMITS, keepEntries: config.LOG_KEEP_ENTRIES, keepShare: config.LOG_KEEP_SHARE },
    ),
});
const pages = new PageCache(store);
const history = new HistoryServer({
  bus,
  store,
  pages,
  known: (p) => node.known(p),
});
history.start(config.PARTITIONS);
shutdown.add("history", () => Promise.resolve(history.stop()));
node.start();
shutdown.add("workers", async () => {
  await catchUp({ log, clock: systemClock, assigned: () => node.assigned() });
  await node.leave();
});
const watch = new LogWatch({ log, clock: systemClock, assigned: () => node.assigned() });
watch.start();
shutdown.add("log watch", () => Promise.resolve(watch.stop()));
const settings = new TableServer({
  name: "settings",
  source: openNatsTable(bus, BUCKETS.config),
  bus,
  clock: systemClock,
  onTrouble: (reason) => logger.warn({ reason }, "settings could not be served"),
});
settings.start();
shutdown.add("settings server", () => Promise.resolve(settings.stop()));
const operations = await openOperations({
  id,
  kind: "persistence",
  version,
  level: config.LOG_LEVEL,
  logger,
  bus,
  settings: openBusTable({ name: "settings", bus, clock: systemClock }),
  shutdown,
  host: config.METRICS_HOST,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) =>
    registerPersistence(metrics, { stats, watch, pages, partitions: config.PARTITIONS }),
  describe: () => ({ partitions: config.PARTITIONS, logs: logStatuses(watch) }),
});
await bus.flush();
announceReady({ name: id, metrics: operations.url }, logger);

/** What removes from the log has a connection of its own, as a user that can do nothing else. */
async function openTrimmer(): Promise<NatsBus> {
  if (config.NATS_TRIM_NKEY_FILE === undefined) return bus;
  const opened = await openNatsBus({
    url: config.NATS_URL,
    nkeyFile: config.NATS_TRIM_NKEY_FILE,
    name: `${id}-trim`,
    inboxPrefix: `_INBOX_trim.${id}`,
    logger,
  }).catch((error: unknown) =>
    giveUp(logger, "NATS is not reachable", { url: config.NATS_URL }, error),
  );
  shutdown.add("trimmer", () => opened.close());
  return opened;
}

/** The address without its password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an unreadable DATABASE_URL";
}
