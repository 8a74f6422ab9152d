// WebhookStats: the counters of a webhooks process.

import { Counts } from "#shared/kit/counts.ts";
import { Histogram } from "#shared/kit/histogram.ts";
import type { ListedWebhook } from "#shared/protocol/webhooks.ts";
import type { Attempt } from "../core/ports.ts";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

export class WebhookStats {
  readonly attempts = new Counts(["delivered", "failed"]);
  readonly seconds = new Histogram(SECONDS);
  /** Events that became dead letters here. */
  buried = 0;
  /** What the store said last of the subscriptions that this process serves. */
  held: readonly ListedWebhook[] = [];
  /** Subscriptions whose receiver is down. */
  down: () => number = () => 0;

  attempted({ kind }: Attempt, ms: number): void {
    this.attempts.add(kind);
    this.seconds.observe(ms / 1_000);
  }
}
