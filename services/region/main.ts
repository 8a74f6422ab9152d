// Region agent: its own wiring. shared/process/bootstrap.ts does what all services share.

import { systemClock } from "#shared/adapters/clock-system.ts";
import { openNatsLog } from "#shared/adapters/log-nats.ts";
import { NatsWitness } from "#shared/adapters/witness-nats.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { registerRegion } from "./adapters/region-metrics.ts";
import { configSchema, databaseUrl } from "./config.ts";
import { FollowerWatch } from "./runtime/follower-watch.ts";
import { Follower } from "./runtime/follower.ts";
import { Stores } from "./runtime/promotion.ts";
import { RegionAgent } from "./runtime/region-agent.ts";

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

const witness = new NatsWitness({
  url: config.WITNESS_URL,
  nkeyFile: config.WITNESS_NKEY_FILE,
  name: id,
});
shutdown.add("witness", () => witness.close());

const stores = new Stores(
  {
    region,
    peer,
    partitions,
    replicas: config.NATS_REPLICAS,
    logBytesMax: config.LOG_BYTES_MAX,
    database: databaseUrl(config),
  },
  { connection: bus.connection, witness, clock: systemClock, report },
);
const watch = new FollowerWatch({ peer, partitions, bus, clock: systemClock, log, report });
const follower = new Follower({
  region,
  partitions,
  bus,
  clock: systemClock,
  log,
  mirrors: () => stores.mirrors(),
  trim: () => stores.trim(),
  report,
});
const agent = new RegionAgent(
  {
    region,
    peer,
    leaseMs: config.LEASE_MS,
    renewMs: config.RENEW_MS,
    autoPromote: config.AUTO_PROMOTE === "1",
  },
  { bus, clock: systemClock, witness, stores, follower, watch, report },
);
agent.start();
shutdown.add("agent", () => Promise.resolve(agent.stop()));

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => registerRegion(metrics, agent, watch),
  describe: () => ({ partitions }),
});
await bus.flush();
service.announceReady({ metrics: operations.url });
