// Room node: its own wiring. shared/process/bootstrap.ts does what all services share.

import { openArchiveReader } from "#shared/adapters/archive-over-bus.ts";
import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { PARTITIONS_MAX } from "#shared/protocol/partition-map.ts";
import { RegionGrants } from "#shared/process/region-grants.ts";
import { growInOneStep } from "#shared/process/young-generation.ts";
import { openProcessLoad } from "./adapters/process-load.ts";
import { registerRoomNode } from "./adapters/room-metrics.ts";
import { configSchema } from "./config.ts";
import { followRoomSettings } from "./runtime/live-settings.ts";
import { RegionalLog } from "./runtime/regional-log.ts";
import { RoomNode } from "./runtime/room-node.ts";
import { RoomStats } from "./runtime/room-stats.ts";

/** A drain settles its commit window within one append timeout; this is twice that, and more. */
const STOP_DEADLINE_MS = 15_000;
const READY_POLL_MS = 20;

const service = await startService({
  kind: "room",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { id, config, logger, shutdown, version, tracer } = service;
const bus = await service.connectBus();

/** Undefined without REGION: the node then serves without a grant. */
const right = config.REGION === undefined ? undefined : new RegionGrants(bus, systemClock);
const natsLog = openNatsLog(bus);
const log =
  right === undefined ? natsLog : new RegionalLog({ log: natsLog, right, bus, clock: systemClock });

const stats = new RoomStats();
const node = new RoomNode(
  {
    id,
    partitions: config.PARTITIONS,
    version,
    memoryMax: config.ROOM_MEMORY_MIB * 1024 * 1024,
    region: config.REGION,
    mayServe: right && ((p) => right.allows(p) === "everything"),
  },
  {
    bus,
    log,
    archive: openArchiveReader(bus, systemClock),
    clock: systemClock,
    readLoad: openProcessLoad(),
    report: (event, detail) => logger.info(detail, event),
    stats,
    tracer,
    fault: (error) =>
      queueMicrotask(() => {
        throw error; // Outside every handler's try: the process exits as shutdown.3 describes.
      }),
  },
);
node.start();
right?.onChange(() => node.onRightsChanged());
right?.start();
shutdown.add("grants", () => Promise.resolve(right?.stop()));
shutdown.add("rooms", () => node.leave());

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => registerRoomNode(metrics, node, stats),
  follow: (settings) => followRoomSettings(settings, { node, partitions: config.PARTITIONS }),
  describe: () => ({
    partitions: node.partitions,
    partitionsMax: PARTITIONS_MAX,
    owns: node.owns(),
    rooms: node.rooms,
    ...(node.load && { load: node.load.status }),
  }),
  healing: { service: "room" },
  resources: {
    accounted: () => ({ bytes: node.memory.used, bytesMax: node.memory.bytesMax }),
    operations: () => stats.operations,
  },
});

const ready = systemClock.every(READY_POLL_MS, () => {
  if (!node.isSettled) return;
  ready.cancel();
  growInOneStep();
  service.announceReady({ metrics: operations.url });
});
shutdown.add("readiness", () => Promise.resolve(ready.cancel()));
