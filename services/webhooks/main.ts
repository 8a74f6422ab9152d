// Webhooks: its own wiring. shared/process/bootstrap.ts does what all services share.

import { systemClock, systemRandom } from "#shared/adapters/clock-system.ts";
import { startService } from "#shared/process/bootstrap.ts";
import { databaseUrls } from "#shared/process/database-config.ts";
import { openDesk } from "./adapters/desk-server.ts";
import { NatsSessions } from "./adapters/nats-sessions.ts";
import { PageFetcher } from "./adapters/page-fetcher.ts";
import { readPage } from "./adapters/page-reader.ts";
import { openPostgresSession } from "./adapters/postgres-session.ts";
import { openPreviews } from "./adapters/preview-server.ts";
import { HttpSender } from "./adapters/sender.ts";
import { registerLinkPreviews, registerWebhooks } from "./adapters/webhooks-metrics.ts";
import { configSchema } from "./config.ts";
import { LinkPreviews } from "./runtime/link-previews.ts";
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
/** LP1: a process without the setting does not subscribe, so that another one may answer. */
const previews =
  config.LINK_PREVIEWS === "off"
    ? undefined
    : new LinkPreviews({
        fetcher: new PageFetcher({ allowed: config.LINK_PREVIEWS_ALLOW }),
        read: readPage,
        clock: systemClock,
      });
if (previews !== undefined) {
  const asked = openPreviews(bus, previews);
  shutdown.add("link previews", () => Promise.resolve(asked.unsubscribe()));
}

const operations = await service.openOperations({
  bus,
  port: config.METRICS_PORT ?? 0,
  register: (metrics) => {
    registerWebhooks(metrics, stats);
    if (previews !== undefined) registerLinkPreviews(metrics, previews.outcomes);
  },
  describe: () => ({ partitions: config.PARTITIONS }),
});
await bus.flush();
service.announceReady({ metrics: operations.url });
