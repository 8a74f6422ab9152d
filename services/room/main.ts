// Room node: wiring only. Builds the ports top to bottom and stops them in reverse.

import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { openNatsBus } from "#shared/adapters/bus-nats.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { openBusTable } from "#shared/adapters/table-over-bus.ts";
import { configOrEnd, giveUp } from "#shared/process/give-up.ts";
import { announceReady } from "#shared/process/health.ts";
import { newProcessId } from "#shared/process/ids.ts";
import { createLogger } from "#shared/process/logger.ts";
import { openOperations } from "#shared/process/operations.ts";
import { Shutdown } from "#shared/process/shutdown.ts";
import { startTelemetry } from "#shared/process/telemetry.ts";
import { configSchema } from "./config.ts";
import { RoomNode } from "./runtime/room-node.ts";
import { registerRoomNode } from "./adapters/room-metrics.ts";
import { RoomStats } from "./runtime/room-stats.ts";

/** A drain settles its window within an append timeout; twice that is generous. */
const STOP_DEADLINE_MS = 15_000;
const READY_POLL_MS = 20;

const id = newProcessId("room");
const logger = createLogger({ name: id });
const config = configOrEnd(configSchema, logger);
logger.level = config.LOG_LEVEL;
const shutdown = new Shutdown(logger, { deadlineMs: STOP_DEADLINE_MS });
shutdown.listen();

const telemetry = await startTelemetry({ service: "room", instance: id });
shutdown.add("telemetry", () => telemetry.stop());

const bus = await openNatsBus({
  url: config.NATS_URL,
  nkeyFile: config.NATS_NKEY_FILE,
  name: id,
  inboxPrefix: `_INBOX_room.${id}`,
  logger,
}).catch((error: unknown) =>
  giveUp(logger, "NATS is not reachable", { url: config.NATS_URL }, error),
);
shutdown.add("bus", () => bus.close());

const version = process.env["npm_package_version"] ?? "dev";
const stats = new RoomStats();
const node = new RoomNode(
  {
    id,
    partitions: config.PARTITIONS,
    version,
    memoryMax: config.ROOM_MEMORY_MIB * 1024 * 1024,
  },
  {
    bus,
    log: openNatsLog(bus),
    archive: openArchiveReader(bus),
    clock: systemClock,
    report: (event, detail) => logger.info(detail, event),
    stats,
    tracer: telemetry.tracer,
    fault: (error) =>
      queueMicrotask(() => {
        throw error; // Past every handler's guard, to the shutdown's fault path (exit 70).
      }),
  },
);
node.start();
shutdown.add("rooms", () => node.leave());

const operations = await openOperations({
  id,
  kind: "room",
  version,
  level: config.LOG_LEVEL,
  logger,
  bus,
  settings: openBusTable({ name: "settings", bus, clock: systemClock }),
  shutdown,
  host: config.METRICS_HOST,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => registerRoomNode(metrics, node, stats),
  describe: () => ({ partitions: config.PARTITIONS, owns: node.owns(), rooms: node.rooms }),
});

const ready = systemClock.every(READY_POLL_MS, () => {
  if (!node.isSettled) return;
  ready.cancel();
  announceReady({ name: id, metrics: operations.url }, logger);
});
shutdown.add("readiness", () => Promise.resolve(ready.cancel()));
