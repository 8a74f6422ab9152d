// WebhooksOverBus: asks a webhooks process. It implements the WebhooksApi port.

import type { Bus } from "#shared/ports/bus.ts";
import { subjects } from "#shared/protocol/subjects.ts";
import { decodeWebhookAnswer, encodeWebhookRequest } from "#shared/protocol/webhooks.ts";
import type { WebhookRequest } from "#shared/protocol/webhooks.ts";
import type { WebhooksApi, WebhooksOutcome } from "../core/webhooks-port.ts";

const TIMEOUT_MS = 8_000;
const NONE = "No process of this cluster sends webhooks.";

export class WebhooksOverBus implements WebhooksApi {
  readonly #bus: Pick<Bus, "request">;

  constructor(bus: Pick<Bus, "request">) {
    this.#bus = bus;
  }

  async ask(request: WebhookRequest): Promise<WebhooksOutcome> {
    const text = encodeWebhookRequest(request);
    const answer = await this.#bus.request(subjects.manageWebhooks, text, {
      timeoutMs: TIMEOUT_MS,
    });
    const unavailable = { kind: "refused", error: "unavailable" } as const;
    if (answer.kind === "no-responders") return { ...unavailable, detail: NONE };
    if (answer.kind !== "ok") return unavailable;
    return decodeWebhookAnswer(new TextDecoder().decode(answer.data)) ?? unavailable;
  }
}
