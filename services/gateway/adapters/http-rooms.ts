// HttpRooms: messages of a room for callers without a WebSocket, such as scripts and bots.
//
//   http-rooms.1. Lines are sent exactly as the log holds them, never parsed or encoded again (F7,
//        O12).
//   http-rooms.2. The caller may choose the message id (`id` or `Idempotency-Key`), so that a retry
//        is recognised (H2). Otherwise the gateway creates one and returns it in every answer.

import { z } from "zod";
import { isObject } from "#shared/kit/json.ts";
import type { Clock, Random } from "#shared/ports/clock.ts";
import {
  BODY_EXPECTED,
  checkBody,
  historyFault,
  attachmentsSchema,
  mentionsSchema,
  roomSchema,
  targetSchema,
  viewSchema,
} from "#shared/protocol/client-frames.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import type { Body } from "#shared/protocol/events.ts";
import { STORABLE_PATTERN } from "#shared/protocol/ids.ts";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX, PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { BAD_ID, chooseMessageId, keyHeaders } from "./idempotency.ts";
import { compareStored } from "./same-message.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

/** The `limit` of a page without one. */
const PAGE_EVENTS_DEFAULT = 50;

const ID_PATTERN = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";

const BODY_TOO_LARGE = `The body field body is larger than ${BODY_BYTES_MAX} bytes of JSON.`;
const BODY_BROKEN = `The body field body is not valid: expected ${BODY_EXPECTED}.`;
const params = z.object({ room: roomSchema });
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const pageQuery = z.object({
  before: queryInteger(seq).optional(),
  after: queryInteger(seq).optional(),
  limit: queryInteger(z.number().int().min(1).max(PAGE_EVENTS_MAX)).default(PAGE_EVENTS_DEFAULT),
  view: viewSchema.optional().meta({
    description:
      "`messages`: the messages as they are now, each with its `state`; default: all events.",
  }),
  thread: queryInteger(targetSchema).optional().meta({
    description: "The replies to this message, with the view `messages`.",
  }),
});
/** The description of a message body. */
export const BODY_META = {
  type: "object",
  propertyNames: { pattern: STORABLE_PATTERN, not: { const: "__proto__" } },
  description:
    `At most ${BODY_BYTES_MAX} bytes of JSON and ${BODY_DEPTH_MAX} levels. At any depth without U+0000, lone ` +
    "surrogates, the key `__proto__`, a repeated key, or a number that a double cannot hold exactly.",
  examples: [{ text: "hi" }],
} as const;
const sendBody = z.object({
  id: z.string().max(64).optional().meta({
    pattern: ID_PATTERN,
    description: "A UUIDv7 that the caller creates. Its time is at most one day ahead.",
  }),
  // The original object: z.record would drop a key "__proto__" before F2 refuses it.
  body: z.custom<Body>(isObject).meta(BODY_META),
  replyTo: targetSchema.optional(),
  thread: targetSchema.optional().meta({
    description: "The message of the main line whose thread this one continues.",
  }),
  mentions: mentionsSchema.optional().meta({
    description: "The mentioned users, or `@room`: everyone in the room, for moderators.",
  }),
  attachments: attachmentsSchema.optional().meta({
    description: "The files of the message, each as its upload was answered.",
  }),
});
export const event = z.looseObject({
  t: z.string(),
  room: z.string(),
  seq: z.number().int(),
  id: z.string(),
  from: z.string(),
  at: z.number().int(),
});
const number = z.number().int();
const page = z.object({
  events: z.array(event),
  more: z.boolean(),
  first: number.optional().meta({ description: "With the view `messages`." }),
  last: number.optional(),
  asOf: number.optional(),
});
/** A page of messages covers the numbers `first` to `last`, as of the event `asOf`. */
export const messagesPage = z.object({
  events: z.array(event),
  more: z.boolean(),
  first: number,
  last: number,
  asOf: number,
});

/** The detail of a body that is refused. */
export function bodyProblem(wrong: ErrorName): { readonly detail: string } {
  return { detail: wrong === "too_large" ? BODY_TOO_LARGE : BODY_BROKEN };
}

const sent = z.object({
  id: z.string(),
  room: z.string(),
  seq: z.number().int(),
  at: z.number().int(),
});

export function roomRoutes(roomApi: RoomApi, clock: Clock, random: Random): readonly HttpRoute[] {
  return [readMessages(roomApi), sendMessage(roomApi, clock, random)];
}

function readMessages(roomApi: RoomApi): HttpRoute {
  return {
    method: "GET",
    url: "/v1/rooms/:room/messages",
    access: "bearer",
    limited: true,
    name: "listMessages",
    summary: "Read one page of a room",
    description:
      "Ascending by seq. Set at most one of `before` and `after`; with neither, the page is the newest. " +
      "`more` is true when further events exist in that direction. `after=0` starts at the first event. " +
      "A page of messages covers the numbers `first` to `last` and can be empty with `more`.",
    checks: { params, querystring: pageQuery, exclusive: ["before", "after"] },
    answer: { status: 200, schema: page },
    errors: ["forbidden", "unavailable"],
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof params>;
      const query = request.query as z.output<typeof pageQuery>;
      const fault = historyFault(query);
      if (fault !== undefined) return sendProblem(reply, "bad_frame", { detail: fault });
      const outcome = await roomApi.page({
        user: identity.user,
        grant: grantFor(room, identity),
        room,
        ...query,
      });
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      reply.type("application/json; charset=utf-8").header("cache-control", "no-store");
      const { events, more, covered } = outcome;
      // http-rooms.1
      const rest = JSON.stringify({ more, ...covered }).slice(1);
      return reply.send(`{"events":[${events.join(",")}],${rest}`);
    },
  };
}

function sendMessage(roomApi: RoomApi, clock: Clock, random: Random): HttpRoute {
  return {
    method: "POST",
    url: "/v1/rooms/:room/messages",
    access: "bearer",
    limited: true,
    name: "sendMessage",
    summary: "Send a message",
    description:
      "Answers when the message is in the log. A repeated id (or key) gets the first number, " +
      "or `reused_id` when the message differs. " +
      "After `unavailable` the outcome is unknown and a retry with the same id is safe.",
    checks: { params, headers: keyHeaders, body: sendBody },
    answer: { status: 201, schema: sent },
    errors: ["bad_id", "forbidden", "conflict", "reused_id", "not_found", "busy", "unavailable"],
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof params>;
      const {
        body,
        id: given,
        replyTo,
        thread,
        mentions,
        attachments,
      } = request.body as z.output<typeof sendBody>;
      const { "idempotency-key": key } = request.headers as z.output<typeof keyHeaders>;
      const wrong = checkBody(body);
      if (wrong !== undefined) return sendProblem(reply, wrong, bodyProblem(wrong));
      const { user } = identity;
      const id = chooseMessageId({ user, room, key, given }, clock.now(), random);
      if (id === undefined) return sendProblem(reply, "bad_id", { detail: BAD_ID });
      const message = { body, replyTo, thread, mentions, attachments };
      const content = { ...message, trace: request.trace };
      const frame = { t: "send", room, id, ...content } as const;
      const grant = grantFor(room, identity);
      const outcome = await roomApi.write({ user, grant, frame });
      if (outcome.kind === "refused") {
        return sendProblem(reply, outcome.error, { afterMs: outcome.afterMs, id });
      }
      if (outcome.repeat === true) {
        const verdict = await compareStored(roomApi, { user, frame }, outcome.seq); // H8
        if (verdict === "another") return sendProblem(reply, "reused_id");
        if (verdict !== "same") {
          return sendProblem(reply, verdict.error, { afterMs: verdict.afterMs, id });
        }
      }
      return reply.code(201).send({ id, room, seq: outcome.seq, at: outcome.at });
    },
  };
}
