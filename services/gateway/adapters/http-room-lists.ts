// HttpRoomLists: the routes that list rooms: those of the caller, and open rooms to join.

import { z } from "zod";
import { roomSchema, roomsSchemas, storableText } from "#shared/protocol/client-frames.ts";
import { FIND_TEXT_LENGTH_MAX, ROOMS_PAGE_MAX } from "#shared/protocol/limits.ts";
import { ROLES, ROOM_KINDS } from "#shared/protocol/roles.ts";
import { CURSOR_PATTERN } from "#shared/protocol/room-list.ts";
import { ROOMS_PAGE_DEFAULT } from "../core/bounds.ts";
import type { RoomListsApi } from "../core/room-lists-port.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const number = z.number().int();
const limit = queryInteger(number.min(1).max(ROOMS_PAGE_MAX)).default(ROOMS_PAGE_DEFAULT);
const roomsQuery = z.object({
  after: roomsSchemas.after.meta({
    pattern: CURSOR_PATTERN,
    description: "The `next` of the previous page.",
  }),
  limit,
});
const findQuery = z.object({
  kind: z.enum(["open"]).meta({ description: "Only open rooms can be found." }),
  q: storableText(FIND_TEXT_LENGTH_MAX).default("").meta({
    description: "A part of the title or of the id, in any case.",
  }),
  after: roomSchema.optional(),
  limit,
});
const listedRoom = z.object({
  room: z.string(),
  kind: z.enum(ROOM_KINDS),
  title: z.string().optional(),
  role: z.enum(ROLES),
  head: number,
  at: number.meta({ description: "When its newest event was stored, in ms since 1970." }),
  read: number.meta({ description: "The number up to which the caller has read it." }),
  unread: number.meta({ description: "Messages of others behind it, at most 100." }),
  mentions: number,
  last: z
    .object({
      seq: number,
      from: z.string(),
      at: number,
      text: z.string(),
      files: z.array(z.string()).optional().meta({
        description: "The names of its files, as many as fit into 120 characters.",
      }),
    })
    .optional()
    .meta({ description: "The newest message that is not deleted; 120 characters of its text." }),
});
const rooms = z.object({ rooms: z.array(listedRoom), next: z.string().optional() });
const foundRoom = z.object({
  room: z.string(),
  title: z.string().optional(),
  topic: z.string().optional(),
  role: z.enum(ROLES),
  head: number,
  at: number,
});
const found = z.object({ rooms: z.array(foundRoom), next: z.string().optional() });

const LIST = { access: "bearer", limited: true, errors: ["busy", "unavailable"] } as const;

export function roomListRoutes(roomLists: RoomListsApi): readonly HttpRoute[] {
  return [listRooms(roomLists), findRooms(roomLists)];
}

function listRooms(roomLists: RoomListsApi): HttpRoute {
  return {
    ...LIST,
    method: "GET",
    url: "/v1/me/rooms",
    name: "listRooms",
    summary: "List the caller's rooms with their unread counts",
    description:
      "The rooms whose member the caller is, newest activity first, as of the archive. With `next` " +
      "there are more; a room with new activity can appear on two pages.",
    checks: { querystring: roomsQuery },
    answer: { status: 200, schema: rooms },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const query = request.query as z.output<typeof roomsQuery>;
      const outcome = await roomLists.rooms({ user: identity.user, ...query });
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      return reply.header("cache-control", "no-store").send(outcome.page);
    },
  };
}

function findRooms(roomLists: RoomListsApi): HttpRoute {
  return {
    ...LIST,
    method: "GET",
    url: "/v1/rooms",
    name: "findRooms",
    summary: "Find open rooms",
    description:
      "The open rooms that were created with settings, without archived ones, in the order of their " +
      "ids. `after` is the `next` of the previous page. A page can be empty and have `next`.",
    checks: { querystring: findQuery },
    answer: { status: 200, schema: found },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { q: text, after, limit: most } = request.query as z.output<typeof findQuery>;
      const query = { user: identity.user, text, after, limit: most };
      const outcome = await roomLists.find(query);
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      return reply.header("cache-control", "no-store").send(outcome.found);
    },
  };
}
