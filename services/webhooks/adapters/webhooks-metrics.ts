// WebhooksMetrics: the Prometheus names and help texts of a webhooks process.

import type { Counts } from "#shared/kit/counts.ts";
import type { Metrics } from "#shared/process/metrics.ts";
import type { ListedWebhook } from "#shared/protocol/webhooks.ts";
import type { WebhookStats } from "../runtime/webhook-stats.ts";

export function registerWebhooks(metrics: Metrics, stats: WebhookStats): void {
  const gauge = (name: string, help: string, read: (held: readonly ListedWebhook[]) => number) =>
    metrics.gauge(name, help, () => read(stats.held));
  const sum = (read: (webhook: ListedWebhook) => number) => (held: readonly ListedWebhook[]) =>
    held.reduce((total, webhook) => total + read(webhook), 0);
  gauge("parley_webhooks", "Subscriptions that this process serves", (held) => held.length);
  gauge(
    "parley_webhooks_waiting",
    "Events that are tried again",
    sum(({ waiting }) => waiting),
  );
  gauge(
    "parley_webhooks_dead",
    "Dead letters",
    sum(({ dead }) => dead),
  );
  gauge(
    "parley_webhooks_lag_seconds",
    "Age of the oldest event that has not arrived and is no dead letter",
    (held) => Math.max(0, ...held.map(({ behindMs }) => behindMs / 1_000)),
  );
  metrics.gauge("parley_webhooks_down", "Receivers that do not answer", () => stats.down());
  metrics.counter("parley_webhooks_attempts_total", "Deliveries that ended, by outcome", () =>
    Array.from(stats.attempts, ([outcome, count]) => [{ outcome }, count] as const),
  );
  metrics.counter(
    "parley_webhooks_buried_total",
    "Events that became dead letters",
    () => stats.buried,
  );
  metrics.histogram(
    "parley_webhooks_delivery_seconds",
    "Seconds until a receiver answered or its time was over",
    () => stats.seconds,
  );
}

export function registerLinkPreviews(metrics: Metrics, outcomes: Counts): void {
  metrics.counter("parley_link_previews_total", "Requests for previews, by outcome", () =>
    Array.from(outcomes, ([outcome, count]) => [{ outcome }, count] as const),
  );
}
