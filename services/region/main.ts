// Region agent: its own wiring. shared/process/bootstrap.ts does what all services share.

import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { registerRegion } from "./adapters/region-metrics.ts";
import { configSchema, databaseUrl, peerDatabaseUrl } from "./config.ts";
import { openAgents } from "./runtime/open-agents.ts";

const STOP_DEADLINE_MS = 10_000;

const service = await startService({
  kind: "region",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { id, config, logger, shutdown } = service;
const { REGION: region, PEER_REGION: peer, PARTITIONS: partitions } = config;
const bus = await service.connectBus();
const log = openNatsLog(bus);
const report = (event: string, detail: object): void => logger.info(detail, event);

const agents = openAgents(
  {
    id,
    region,
    peer,
    partitions,
    peerDatabase: peerDatabaseUrl(config),
    witness: { url: config.WITNESS_URL, nkeyFile: config.WITNESS_NKEY_FILE },
    replicas: config.NATS_REPLICAS,
    logBytesMax: config.LOG_BYTES_MAX,
    database: databaseUrl(config),
    leaseMs: config.LEASE_MS,
    renewMs: config.RENEW_MS,
    autoPromote: config.AUTO_PROMOTE === "1",
  },
  { bus, log, clock: systemClock, report },
);
agents.start();
shutdown.add("agent", () => agents.stop());

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => registerRegion(metrics, agents.agents),
  describe: () => ({ partitions }),
});
await bus.flush();
service.announceReady({ metrics: operations.url });
