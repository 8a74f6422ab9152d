// HttpMessages: the routes that change a message, and the pinned messages of a room.
//
//   http-messages.1. Each change is the write of a frame (`edit`, `delete`, `react`, `pin`), so it
//        has an id that is always recognised (C1). `Idempotency-Key` names it; without one the
//        gateway creates an id.

import { z } from "zod";
import type { Clock, Random } from "#shared/ports/clock.ts";
import {
  bodySchema,
  checkBody,
  emojiSchema,
  mentionsSchema,
  reasonSchema,
  roomSchema,
  targetSchema,
} from "#shared/protocol/client-frames.ts";
import { PAGE_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { readMessage } from "./http-message.ts";
import { BODY_META, bodyProblem, messagesPage } from "./http-rooms.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { done, READ, WRITE, writerOf } from "./http-writes.ts";
import type { Write } from "./http-writes.ts";
import { keyHeaders } from "./idempotency.ts";
import { sendProblem } from "./problem.ts";

const PINS_DEFAULT = 50;

const messageParams = z.object({ room: roomSchema, seq: queryInteger(targetSchema) });
const reactionParams = z.object({ ...messageParams.shape, emoji: emojiSchema });
const editBody = z.object({
  body: bodySchema.meta(BODY_META),
  mentions: mentionsSchema.optional().meta({
    description:
      "Whom the message mentions from here on; `@room` for moderators. Without it the mentions stay.",
  }),
});
const deleteQuery = z.object({ reason: reasonSchema.optional() });
const roomParams = z.object({ room: roomSchema });
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const pinsQuery = z.object({
  before: queryInteger(seq).optional(),
  limit: queryInteger(z.number().int().min(1).max(PAGE_EVENTS_MAX)).default(PINS_DEFAULT),
});
const CHANGE = { ...WRITE, errors: [...WRITE.errors, "not_found"] } as const;

export function messageRoutes(
  roomApi: RoomApi,
  clock: Clock,
  random: Random,
): readonly HttpRoute[] {
  const write = writerOf(roomApi, clock, random);
  return [
    editMessage(write),
    deleteMessage(write),
    react(write, true),
    react(write, false),
    pin(write, true),
    pin(write, false),
    readPins(roomApi),
    readMessage(roomApi),
  ];
}

function editMessage(write: Write): HttpRoute {
  return {
    ...CHANGE,
    errors: [...CHANGE.errors, "too_large"],
    method: "PATCH",
    url: "/v1/rooms/:room/messages/:seq",
    name: "editMessage",
    summary: "Edit a message of the caller",
    description:
      "Answers when the edit is in the log. A number that is no message gets `not_found`, the message " +
      "of another user `forbidden`, a deleted one `conflict`.",
    checks: { params: messageParams, headers: keyHeaders, body: editBody },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, seq: target } = request.params as z.output<typeof messageParams>;
      const { body, mentions } = request.body as z.output<typeof editBody>;
      const wrong = checkBody(body);
      if (wrong !== undefined) return sendProblem(reply, wrong, bodyProblem(wrong));
      return write(request, reply, room, { t: "edit", target, body, mentions });
    },
  };
}

function deleteMessage(write: Write): HttpRoute {
  return {
    ...CHANGE,
    method: "DELETE",
    url: "/v1/rooms/:room/messages/:seq",
    name: "deleteMessage",
    summary: "Delete a message",
    description:
      "Erases its text everywhere. The author may, and a moderator of an open or closed room.",
    checks: { params: messageParams, headers: keyHeaders, querystring: deleteQuery },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, seq: target } = request.params as z.output<typeof messageParams>;
      const { reason } = request.query as z.output<typeof deleteQuery>;
      return write(request, reply, room, { t: "delete", target, reason });
    },
  };
}

function react(write: Write, on: boolean): HttpRoute {
  return {
    ...CHANGE,
    method: on ? "PUT" : "DELETE",
    url: "/v1/rooms/:room/messages/:seq/reactions/:emoji",
    name: on ? "react" : "takeReactionBack",
    summary: on ? "React to a message" : "Take a reaction back",
    description: "`emoji` is one emoji, or a name such as `:ok:`.",
    checks: { params: reactionParams, headers: keyHeaders },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, seq: target, emoji } = request.params as z.output<typeof reactionParams>;
      return write(request, reply, room, { t: "react", target, emoji, on });
    },
  };
}

function pin(write: Write, on: boolean): HttpRoute {
  return {
    ...CHANGE,
    method: on ? "PUT" : "DELETE",
    url: "/v1/rooms/:room/pins/:seq",
    name: on ? "pinMessage" : "unpinMessage",
    summary: on ? "Pin a message to the room" : "Unpin a message",
    description: "Needs a moderator; in a direct room both users may.",
    checks: { params: messageParams, headers: keyHeaders },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, seq: target } = request.params as z.output<typeof messageParams>;
      return write(request, reply, room, { t: "pin", target, on });
    },
  };
}

function readPins(roomApi: RoomApi): HttpRoute {
  return {
    ...READ,
    method: "GET",
    url: "/v1/rooms/:room/pins",
    name: "listPins",
    summary: "Read the pinned messages of a room",
    description: "Ascending by seq, the newest page; `before` is the first number of that page.",
    checks: { params: roomParams, querystring: pinsQuery },
    answer: { status: 200, schema: messagesPage },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof roomParams>;
      const { before, limit } = request.query as z.output<typeof pinsQuery>;
      const outcome = await roomApi.page({
        user: identity.user,
        grant: grantFor(room, identity),
        room,
        view: "messages",
        pinned: true,
        before,
        limit,
      });
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      const { events, more, covered } = outcome;
      reply.type("application/json; charset=utf-8").header("cache-control", "no-store");
      const rest = JSON.stringify({ more, ...covered }).slice(1);
      return reply.send(`{"events":[${events.join(",")}],${rest}`);
    },
  };
}
