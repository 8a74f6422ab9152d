// Webhooks: its own wiring. shared/process/bootstrap.ts does what all services share.

import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { databaseUrls } from "#shared/process/database-config.ts";
import { openDesk } from "./adapters/desk-server.ts";
import { NatsSessions } from "./adapters/nats-sessions.ts";
import { openPostgresSession } from "./adapters/postgres-session.ts";
import { HttpSender } from "./adapters/sender.ts";
import { registerWebhooks } from "./adapters/webhooks-metrics.ts";
import { configSchema } from "./config.ts";
import { WakeUp } from "./runtime/wake-up.ts";
import { WebhookStats } from "./runtime/webhook-stats.ts";
import { WebhooksNode } from "./runtime/webhooks-node.ts";

const STOP_DEADLINE_MS = 15_000;

const service = await startService({
  kind: "webhooks",
  schema: configSchema,
  stopDeadlineMs: STOP_DEADLINE_MS,
});
const { config, logger, shutdown } = service;
const bus = await service.connectBus();
const sender = new HttpSender({
  allowed: config.WEBHOOKS_ALLOW,
  plain: config.WEBHOOKS_HTTP === "1",
  now: () => systemClock.now(),
});
shutdown.add("sender", () => Promise.resolve(sender.close()));
const stats = new WebhookStats();
const sessions = new NatsSessions(bus, systemClock);
const urls = databaseUrls(config);
const node = new WebhooksNode({
  open: () => openPostgresSession(urls, sessions),
  sender,
  clock: systemClock,
  random: systemRandom,
  stats,
  logger,
});
node.start();
shutdown.add("webhooks", () => node.stop());
const wakeUp = new WakeUp(bus, systemClock, () => node.wake());
wakeUp.start();
shutdown.add("watermarks", () => Promise.resolve(wakeUp.stop()));
const desk = openDesk({
  bus,
  desk: () => node.desk,
  sessions,
  refusalOf: (url) => sender.refusalOf(url),
  logger,
});
shutdown.add("desk", () => Promise.resolve(desk.unsubscribe()));

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => registerWebhooks(metrics, stats),
  describe: () => ({ partitions: config.PARTITIONS }),
});
await bus.flush();
service.announceReady({ metrics: operations.url });
