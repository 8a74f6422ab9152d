// DeskServer: answers the requests that manage subscriptions.
//
// Owns: the subscription on `hook.manage`, the answers. Does not own: who may ask (the gateway's
// routes), the rows (postgres-webhooks.ts).

import { unreachable } from "#shared/kit/assert.ts";
import type { Bus, Subscription } from "#shared/ports/bus.ts";
import type { Logger } from "#shared/process/logger.ts";
import { HOOK_QUEUE, subjects } from "#shared/protocol/subjects.ts";
import { decodeWebhookRequest, encodeWebhookAnswer } from "#shared/protocol/webhooks.ts";
import type { WebhookAnswer, WebhookRequest } from "#shared/protocol/webhooks.ts";
import type { Cursor } from "../core/chunk.ts";
import type { Change, SessionFeed, WebhookDesk } from "../core/ports.ts";
import { SESSIONS } from "./postgres-webhooks.ts";

export interface DeskServerParts {
  readonly bus: Pick<Bus, "publish" | "subscribe">;
  /** Undefined while PostgreSQL does not answer. */
  readonly desk: () => WebhookDesk | undefined;
  readonly sessions: SessionFeed | undefined;
  /** Why no request goes to a URL. */
  readonly refusalOf: (url: string) => string | undefined;
  readonly logger: Pick<Logger, "warn">;
}

const UNAVAILABLE: WebhookAnswer = { kind: "refused", error: "unavailable" };

export function openDesk(parts: DeskServerParts): Subscription {
  const { bus, logger } = parts;
  return bus.subscribe(
    subjects.manageWebhooks,
    ({ data, reply }) => {
      const request = decodeWebhookRequest(new TextDecoder().decode(data));
      if (request === undefined || reply === undefined) return; // N5
      void answer(parts, request)
        .catch((error: unknown) => {
          logger.warn({ op: request.op, reason: String(error) }, "a webhook request failed");
          return UNAVAILABLE;
        })
        .then((whole) => bus.publish(reply, encodeWebhookAnswer(whole)));
    },
    { queue: HOOK_QUEUE },
  );
}

async function answer(parts: DeskServerParts, request: WebhookRequest): Promise<WebhookAnswer> {
  const desk = parts.desk();
  if (desk === undefined) return UNAVAILABLE;
  switch (request.op) {
    case "add": {
      const { op: _op, ...webhook } = request;
      const detail = parts.refusalOf(webhook.url);
      if (detail !== undefined) return { kind: "refused", error: "forbidden", detail };
      const isOfSessions = webhook.kinds.some((kind) => kind.startsWith("session."));
      const end = isOfSessions ? await endOf(parts.sessions) : undefined;
      return answerOf(await desk.add(webhook, end));
    }
    case "list":
      return { kind: "webhooks", webhooks: await desk.list() };
    case "remove":
      return answerOf(await desk.remove(request.webhook));
    case "dead": {
      const dead = await desk.dead(request.webhook, request.after, request.limit);
      return dead === undefined ? NOT_FOUND : { kind: "dead", dead };
    }
    case "replay": {
      const count = await desk.replay(request.webhook, request.ids);
      return count === undefined ? NOT_FOUND : { kind: "replayed", count };
    }
    default:
      return unreachable(request);
  }
}

const NOT_FOUND = { kind: "refused", error: "not_found" } as const;

function answerOf({ kind }: Change): WebhookAnswer {
  if (kind === "ok") return { kind: "done" };
  if (kind === "missing") return NOT_FOUND;
  return { kind: "refused", error: "conflict", detail: "There are too many webhooks." };
}

async function endOf(sessions: SessionFeed | undefined): Promise<Cursor | undefined> {
  if (sessions === undefined) return undefined;
  return { source: SESSIONS, skip: 0, ...(await sessions.end()) };
}
