// Persistence: its own wiring. shared/process/bootstrap.ts does what all services share.

import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { NatsLeases } from "#shared/adapters/leases-nats.ts";
import { NatsRevocations } from "#shared/adapters/revocations-nats.ts";
import { NatsSessionStore } from "#shared/adapters/session-store-nats.ts";
import { openNatsLog, withTrimmer } from "#shared/adapters/log-nats.ts";
import { BUCKETS } from "#shared/adapters/nats-provision.ts";
import { openNatsTable } from "#shared/adapters/table-nats.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { firstLogSeq, isDoubling, PARTITIONS_MAX } from "#shared/protocol/partition-map.ts";
import { RegionGrants } from "#shared/process/region-grants.ts";
import { logTransition } from "#shared/process/breaker.ts";
import { databaseUrls, withPassword } from "#shared/process/database-config.ts";
import { openAttachments } from "#shared/process/attachment-config.ts";
import { growInOneStep } from "#shared/process/young-generation.ts";
import { PostgresArchive } from "./adapters/archive-postgres.ts";
import { AttachmentServer } from "./adapters/attachment-server.ts";
import { HistoryServer } from "./adapters/history-server.ts";
import { claimPartitions, migrate } from "./adapters/migrate.ts";
import { LeaseServer } from "./adapters/lease-server.ts";
import { NewestPages } from "./adapters/newest-pages.ts";
import { PageCache } from "./adapters/page-cache.ts";
import { PrimaryWatch } from "./adapters/primary-watch.ts";
import { SessionServer } from "./adapters/session-server.ts";
import { TableServer } from "./adapters/table-server.ts";
import { AttachmentSweeper } from "./runtime/attachment-sweeper.ts";
import { catchUp } from "./runtime/catch-up.ts";
import { configSchema } from "./config.ts";
import { LIMITS } from "./core/archiver-io.ts";
import { isCaughtUp, LogWatch, logStatuses } from "./runtime/log-watch.ts";
import { PageWarmer } from "./runtime/page-warmer.ts";
import { PersistenceNode } from "./runtime/persistence-node.ts";
import { SessionReaper } from "./runtime/session-reaper.ts";
import { HomeTurns, onNextTerm, whenArchiving } from "./runtime/region-turn.ts";
import { registerPersistence } from "./adapters/persistence-metrics.ts";
import { PersistenceStats, timed } from "./runtime/persistence-stats.ts";
import { ArchiveRunner } from "./runtime/archive-runner.ts";
import { isRoomOf, observed, SearchRunner } from "./runtime/search-runner.ts";
import type { RunnerReport } from "./runtime/archive-runner.ts";

/** A write in flight ends within its statement timeout. */
const STOP_DEADLINE_MS = 35_000;
/** Reports of normal operation; all others are rare and are logged as warnings. */
const ORDINARY: ReadonlySet<string> = new Set<RunnerReport["kind"]>(["wrote", "loaded", "trimmed"]);

const service = await startService({
  kind: "persistence",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { id, config, logger, shutdown, version, tracer } = service;

const bus = await service.connectBus();
/** Undefined without REGION: the process then archives without a grant. */
const right = config.REGION === undefined ? undefined : new RegionGrants(bus, systemClock);
/** Only where both regions serve. */
let turns: HomeTurns | undefined;
if (right !== undefined) {
  right.start();
  shutdown.add("grants", () => Promise.resolve(right.stop()));
  logger.info({ region: config.REGION }, "waiting until this region may archive");
  // To wait is the work of this process while its region follows. A supervisor must not end it.
  service.announceReady({});
  const term = await whenArchiving(right);
  logger.info({ term }, "this region may archive");
  if (right.grant?.homes !== undefined) turns = new HomeTurns(right);
  else onNextTerm(right, term, () => void shutdown.stop("another term has begun"));
}

const servers = databaseUrls(config);
const hosts = servers.map(hostOf);
const primary = new PrimaryWatch({
  urls: servers,
  clock: systemClock,
  onMoved: (url) => {
    logger.warn({ host: hostOf(url) }, "the archive has another primary");
    store.moveTo(url);
  },
});
shutdown.add("primary watch", () => Promise.resolve(primary.stop()));
const database = await service.orExit(primary.find(), "PostgreSQL is not usable", { hosts });
const { DATABASE_REPLICA_URL: replica } = config;
const store = new PostgresArchive({
  url: database,
  replicaUrl: replica && withPassword(replica, config.DATABASE_PASSWORD_FILE),
  onIdleError: (reason) => logger.warn({ reason }, "an idle database connection broke"),
  onBreaker: (transition) => logTransition(logger, transition),
  onReplica: (state, reason) =>
    logger[state === "current" ? "info" : "warn"]({ state, reason }, "replica of the archive"),
  searchLanguage: config.SEARCH_LANGUAGE,
});
shutdown.add("archive", () => store.close());
const map = await service.orExit(
  migrate({ url: database }).then(() => claimPartitions(database, config.PARTITIONS)),
  "PostgreSQL is not usable",
  { host: hostOf(database) },
);
await service.orExit(store.requireLanguage(), "the search is not usable", {});

/** The trimmer's connection: its NATS user may remove from the log and can do nothing else (X1). */
const trimmer =
  config.NATS_TRIM_NKEY_FILE === undefined
    ? bus
    : await service.connectBusAs("trim", config.NATS_TRIM_NKEY_FILE);
const { partitions } = map;
const log = withTrimmer(openNatsLog(bus), openNatsLog(trimmer), turns?.serves);

const stats = new PersistenceStats();
const indexer = new SearchRunner({
  index: store,
  clock: systemClock,
  random: systemRandom,
  isMine: isRoomOf(map, () => node.assigned()),
  onReport: (report) => {
    stats.onSearchReport(report);
    logger[report.kind === "indexed" ? "debug" : "warn"](report, "search");
  },
});
const timedStore = timed(store, stats, systemClock);
const archived = config.SEARCH_INDEX === "on" ? observed(timedStore, indexer) : timedStore;
const node = new PersistenceNode({
  id,
  partitions,
  version,
  bus,
  clock: systemClock,
  termOf: turns?.archives,
  createRunner: (p) =>
    new ArchiveRunner(
      p,
      {
        log,
        store: turns?.guarded(archived) ?? archived,
        bus,
        clock: systemClock,
        random: systemRandom,
        tracer,
        onReport: (partition, report) => {
          stats.onReport(report);
          if (report.kind === "loaded") watch.onLoaded();
          const level = ORDINARY.has(report.kind) ? "debug" : "warn";
          logger[level]({ p: partition, ...report }, "archive");
        },
      },
      {
        ...LIMITS,
        keepEntries: config.LOG_KEEP_ENTRIES,
        keepShare: config.LOG_KEEP_SHARE,
        keepMs: config.LOG_KEEP_HOURS && config.LOG_KEEP_HOURS * 3_600_000,
        firstSeq: firstLogSeq(p, config.PARTITIONS),
      },
    ),
});
const pages = new PageCache(store, systemClock);
const newest = new NewestPages(store);
const warmer = new PageWarmer({
  store,
  pages: newest,
  clock: systemClock,
  rooms: config.WARM_ROOMS,
  serves: (room) => turns?.serves(map.partitionOf(room)) ?? true,
  onReport: (report) => logger[report.kind === "warmed" ? "info" : "debug"](report, "newest pages"),
});
const history = new HistoryServer({
  bus,
  store,
  pages,
  newest: warmer,
  localWatermark: (p) => node.watermarkOf(p),
  clock: systemClock,
  serves: turns?.serves,
});
history.start(partitions);
shutdown.add("history", () => history.stop());
shutdown.add("page warmer", () => warmer.stop());
void warmer.start();
node.start();
if (config.SEARCH_INDEX === "on") indexer.start();
shutdown.add("search indexer", () => indexer.stop());
if (turns !== undefined) {
  right?.onChange(() => {
    pages.clear();
    newest.clear();
    node.onTermsChanged();
    history.onRightsChanged();
  });
}
shutdown.add("archive runners", async () => {
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
  onProblem: (reason) => logger.warn({ reason }, "settings could not be served"),
});
settings.start();
const leases = new LeaseServer(bus, new NatsLeases(bus.connection));
leases.start();
shutdown.add("lease server", () => Promise.resolve(leases.stop()));
const sessionStore = new NatsSessionStore(bus);
const revocations = new NatsRevocations(bus, systemClock);
const sessions = new SessionServer({ bus, store: sessionStore, revocations, clock: systemClock });
sessions.start();
shutdown.add("session server", () => Promise.resolve(sessions.stop()));
const files = await service.orExit(
  openAttachments(config, systemClock),
  "the store of attachments is not usable: check ATTACHMENTS_*",
);
let sweeper: AttachmentSweeper | undefined;
if (files !== undefined) {
  const attachments = new AttachmentServer(bus, store);
  attachments.start();
  shutdown.add("attachment server", () => Promise.resolve(attachments.stop()));
  const isMine = isRoomOf(map, () => node.assigned());
  const sweeping = new AttachmentSweeper({
    records: store,
    store: files,
    clock: systemClock,
    isMine,
    isCaughtUp: isRoomOf(map, () => [...watch.states()].filter(([, state]) => isCaughtUp(state))),
    onProblem: (reason) => logger.warn({ reason }, "attachments could not be removed"),
  });
  sweeping.start();
  shutdown.add("attachment sweeper", () => sweeping.stop());
  sweeper = sweeping;
}
const reaper = new SessionReaper({
  store: sessionStore,
  clock: systemClock,
  onLost: (gateway, ended) => logger.warn({ gateway, ended }, "the sessions of a gateway ended"),
});
reaper.start();
shutdown.add("session reaper", () => Promise.resolve(reaper.stop()));
shutdown.add("settings server", () => Promise.resolve(settings.stop()));

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) =>
    registerPersistence(metrics, {
      stats,
      watch,
      pages,
      newest,
      warmer,
      leases,
      sessions,
      reaper,
      partitions: () => {
        for (const [p, of] of node.splits()) map.learn(p, of);
        return map.count;
      },
      search: indexer,
      breakers: [store.breaker],
      reads: store.reads,
      replica: store.replica,
      attachments: files && sweeper && { store: files, sweeper },
    }),
  resources: {
    accounted: () => ({
      bytes: pages.accounted.bytes + newest.accounted.bytes,
      bytesMax: pages.accounted.bytesMax + newest.accounted.bytesMax,
    }),
    usages: () => watch.usages(),
    operations: () => ({
      "archived event": stats.events,
      "history page": pages.misses + newest.misses,
    }),
  },
  describe: () => ({
    partitions: node.partitions,
    partitionsMax: PARTITIONS_MAX,
    logs: logStatuses(watch),
  }),
  follow: (live) =>
    void live.on("partitions.count", partitions, (count) => {
      if (!isDoubling(count, config.PARTITIONS)) return;
      history.start(count);
      node.grow(count);
    }),
});
await bus.flush();
growInOneStep();
service.announceReady({ metrics: operations.url });

/** The address without its password. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "an unreadable DATABASE_URL";
}
