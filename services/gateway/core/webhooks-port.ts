// Webhooks port: the management of subscriptions, for HTTP requests.

import type { ListedWebhook, WebhookRequest, DeadLetter } from "#shared/protocol/webhooks.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";

export type WebhooksOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "webhooks"; readonly webhooks: readonly ListedWebhook[] }
  | { readonly kind: "dead"; readonly dead: readonly DeadLetter[] }
  | { readonly kind: "replayed"; readonly count: number }
  | { readonly kind: "refused"; readonly error: ErrorName; readonly detail?: string | undefined };

export interface WebhooksApi {
  /** Resolves, never rejects. */
  ask(request: WebhookRequest): Promise<WebhooksOutcome>;
}
