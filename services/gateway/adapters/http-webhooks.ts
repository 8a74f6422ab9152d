// HttpWebhooks: the routes that manage the subscriptions of back ends.
//
// Owns: who may use them. Does not own: the subscriptions (services/webhooks).
//
//   http-webhooks.1. They need a token with `admin`, or a service token without `as`: a
//        subscription reads every room (W9).
//   http-webhooks.2. Only the answer to the creation has the secret.

import { randomBytes, randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  webhookIdSchema,
  webhookKindsSchema,
  webhookRoomsSchema,
  webhookSecretSchema,
  webhookUrlSchema,
} from "#shared/protocol/webhooks.ts";
import { DEAD_PAGE_MAX } from "#shared/protocol/webhook-names.ts";
import type { WebhookRequest } from "#shared/protocol/webhooks.ts";
import type { WebhooksApi, WebhooksOutcome } from "../core/webhooks-port.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

/** As Standard Webhooks advises: 24 to 64 bytes. */
const SECRET_BYTES = 32;
const DEAD_PAGE_DEFAULT = 50;

const params = z.object({ webhook: webhookIdSchema });
const addBody = z.object({
  url: webhookUrlSchema,
  kinds: webhookKindsSchema,
  rooms: webhookRoomsSchema.optional().meta({ description: "Default: all rooms." }),
  secret: webhookSecretSchema
    .optional()
    .meta({ description: "Default: a new one. `whsec_` and 24 to 64 bytes in base64." }),
});
const replayBody = z.object({
  ids: z
    .array(z.string().max(256))
    .max(DEAD_PAGE_MAX)
    .optional()
    .meta({ description: "Default: all dead letters of the webhook." }),
});
const deadQuery = z.object({
  after: queryInteger(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)).default(0),
  limit: queryInteger(z.number().int().min(1).max(DEAD_PAGE_MAX)).default(DEAD_PAGE_DEFAULT),
});

const number = z.number().int();
const added = z.object({
  webhook: z.string(),
  secret: z.string().meta({ description: "It verifies the deliveries. No other answer has it." }),
});
const listed = z.object({
  webhook: z.string(),
  url: z.string(),
  kinds: z.array(z.string()),
  rooms: z.array(z.string()),
  author: z.string(),
  created: number.meta({ description: "In ms since 1970." }),
  waiting: number.meta({ description: "Events that are tried again." }),
  dead: number.meta({ description: "Dead letters." }),
  behindMs: number.meta({ description: "The age of the oldest event that has not arrived." }),
  reason: z.string().optional().meta({ description: "Of the newest failed delivery." }),
});
const webhooks = z.object({ webhooks: z.array(listed) });
const dead = z.object({
  dead: z.array(
    z.object({
      n: number.meta({ description: "Its place in the list." }),
      id: z.string().meta({ description: "`webhook-id`." }),
      kind: z.string(),
      at: number,
      attempts: number,
      reason: z.string(),
    }),
  ),
});
const replayed = z.object({ replayed: number });
const removed = z.object({ ok: z.literal(true) });

const MANAGE = {
  access: "bearer",
  limited: true,
  errors: ["forbidden", "not_found", "conflict", "unavailable"],
} as const;
const NOT_YOURS = "Webhooks need a token with admin, or a service token without as.";

type Ask = (
  request: FastifyRequest,
  reply: FastifyReply,
  asked: WebhookRequest,
  done: (outcome: WebhooksOutcome) => unknown,
) => Promise<unknown>;

export function webhookRoutes(api: WebhooksApi): readonly HttpRoute[] {
  const ask: Ask = async (request, reply, asked, done) => {
    const { identity } = request;
    if (identity === undefined) return sendProblem(reply, "unauthorized");
    if (!identity.admin && identity.svc !== true) {
      return sendProblem(reply, "forbidden", { detail: NOT_YOURS }); // http-webhooks.1
    }
    const outcome = await api.ask(asked);
    if (outcome.kind === "refused") {
      return sendProblem(reply, outcome.error, { detail: outcome.detail });
    }
    return reply.header("cache-control", "no-store").send(done(outcome));
  };
  return [addWebhook(ask), listWebhooks(ask), removeWebhook(ask), listDead(ask), replay(ask)];
}

function addWebhook(ask: Ask): HttpRoute {
  return {
    ...MANAGE,
    method: "POST",
    url: "/v1/webhooks",
    name: "createWebhook",
    summary: "Subscribe a back end to events",
    description:
      "The back end gets the events that are stored from now on, at least once and in order per room, " +
      "signed after Standard Webhooks. An address that is not public gets `forbidden`.",
    checks: { body: addBody },
    answer: { status: 201, schema: added },
    handle(request, reply) {
      const {
        rooms = [],
        secret = newSecret(),
        ...body
      } = request.body as z.output<typeof addBody>;
      const webhook = randomUUID();
      const author = request.identity?.user ?? "";
      const asked = { op: "add", webhook, ...body, rooms, secret, author } as const;
      return ask(request, reply, asked, () => {
        void reply.code(201);
        return { webhook, secret };
      });
    },
  };
}

function listWebhooks(ask: Ask): HttpRoute {
  return {
    ...MANAGE,
    method: "GET",
    url: "/v1/webhooks",
    name: "listWebhooks",
    summary: "List the webhooks and their state",
    checks: {},
    answer: { status: 200, schema: webhooks },
    handle: (request, reply) =>
      ask(request, reply, { op: "list" }, (outcome) => ({
        webhooks: outcome.kind === "webhooks" ? outcome.webhooks : [],
      })),
  };
}

function removeWebhook(ask: Ask): HttpRoute {
  return {
    ...MANAGE,
    method: "DELETE",
    url: "/v1/webhooks/:webhook",
    name: "removeWebhook",
    summary: "Remove a webhook, with its dead letters",
    checks: { params },
    answer: { status: 200, schema: removed },
    handle(request, reply) {
      const { webhook } = request.params as z.output<typeof params>;
      return ask(request, reply, { op: "remove", webhook }, () => ({ ok: true }));
    },
  };
}

function listDead(ask: Ask): HttpRoute {
  return {
    ...MANAGE,
    method: "GET",
    url: "/v1/webhooks/:webhook/dead",
    name: "listDeadLetters",
    summary: "Read one page of the dead letters of a webhook",
    description: "The events that did not arrive in three days, in order. `after`: the last `n`.",
    checks: { params, querystring: deadQuery },
    answer: { status: 200, schema: dead },
    handle(request, reply) {
      const { webhook } = request.params as z.output<typeof params>;
      const { after, limit } = request.query as z.output<typeof deadQuery>;
      return ask(request, reply, { op: "dead", webhook, after, limit }, (outcome) => ({
        dead: outcome.kind === "dead" ? outcome.dead : [],
      }));
    },
  };
}

function replay(ask: Ask): HttpRoute {
  return {
    ...MANAGE,
    method: "POST",
    url: "/v1/webhooks/:webhook/replay",
    name: "replayDeadLetters",
    summary: "Try dead letters again, for three more days",
    description: "They can arrive behind later events of their room.",
    checks: { params, body: replayBody },
    answer: { status: 200, schema: replayed },
    handle(request, reply) {
      const { webhook } = request.params as z.output<typeof params>;
      const { ids } = request.body as z.output<typeof replayBody>;
      return ask(request, reply, { op: "replay", webhook, ids }, (outcome) => ({
        replayed: outcome.kind === "replayed" ? outcome.count : 0,
      }));
    },
  };
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
}
