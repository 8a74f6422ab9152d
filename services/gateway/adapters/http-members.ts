// HttpMembers: the routes of rooms themselves: creation, settings and members.
//
//   http-members.1. Each change is the write of a frame (`create`, `member`, `update`), so it has
//        an id that is always recognised (M2). `Idempotency-Key` names it; without one the gateway
//        creates an id. A repeated id gets the first number, and its body is not compared.
//   http-members.2. The owner of the room's partition judges every request, reads too (M6).

import { z } from "zod";
import type { Clock, Random } from "#shared/ports/clock.ts";
import {
  archivedSchema,
  createFault,
  createSchemas,
  memberSchemas,
  roomSchema,
  settingsSchemas,
  userSchema,
} from "#shared/protocol/client-frames.ts";
import { directRoomId } from "#shared/protocol/direct-room.ts";
import { MEMBERS_PAGE_MAX } from "#shared/protocol/limits.ts";
import { grantFor, ROLES, ROOM_KINDS } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { keyHeaders } from "./idempotency.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";
import { done, READ, WRITE, writerOf } from "./http-writes.ts";
import type { Write } from "./http-writes.ts";

const MEMBERS_PAGE_DEFAULT = 50;

const roomParams = z.object({ room: roomSchema });
const memberParams = z.object({ room: roomSchema, user: userSchema });
const createBody = z.object({
  room: roomSchema.optional().meta({ description: "Required, except for a direct room." }),
  ...createSchemas,
});
const updateBody = z.object({ ...settingsSchemas, archived: archivedSchema.optional() });
const memberBody = z.object(memberSchemas);
const membersQuery = z.object({
  after: userSchema.optional(),
  limit: queryInteger(z.number().int().min(1).max(MEMBERS_PAGE_MAX)).default(MEMBERS_PAGE_DEFAULT),
});

const about = z.object({
  room: z.string(),
  kind: z.enum(ROOM_KINDS),
  title: z.string().optional(),
  topic: z.string().optional(),
  avatar: z.string().optional(),
  sendRole: z.enum(ROLES).optional(),
  archived: z.boolean().optional(),
  slowMode: z.number().int().optional().meta({ description: "Seconds between two messages." }),
  slowFrom: z.number().int().optional(),
  editWindow: z.number().int().optional().meta({ description: "Seconds." }),
  head: z.number().int(),
  born: z.string(),
  role: z.enum(ROLES).meta({ description: "The role of the caller." }),
  mutedUntil: z.number().int().optional().meta({
    description: "The end of the caller's mute, in ms since 1970. It can be over.",
  }),
  members: z.number().int().meta({ description: "The number of stored members." }),
});
const members = z.object({
  members: z.array(
    z.object({
      user: z.string(),
      role: z.enum(ROLES),
      mutedUntil: z.number().int().optional(),
      banned: z.boolean().optional(),
    }),
  ),
  more: z.boolean(),
});

export function memberRoutes(roomApi: RoomApi, clock: Clock, random: Random): readonly HttpRoute[] {
  const write = writerOf(roomApi, clock, random);
  return [
    createRoom(write),
    readRoom(roomApi),
    updateRoom(write),
    readMembers(roomApi),
    setMember(write),
    removeMember(write),
  ];
}

function createRoom(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "POST",
    url: "/v1/rooms",
    name: "createRoom",
    summary: "Create a room",
    description:
      "Answers when the room, its owner and its invited members are in the log. A room that exists " +
      "gets `conflict`. A direct room has the field `user`; its id follows from the two users.",
    checks: { headers: keyHeaders, body: createBody },
    answer: { status: 201, schema: done },
    async handle(request, reply) {
      const { room: named, ...content } = request.body as z.output<typeof createBody>;
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const fault = createFault(content);
      if (fault !== undefined) return sendProblem(reply, "bad_frame", { detail: fault });
      const { user } = content;
      const room = user === undefined ? named : directRoomId(identity.user, user);
      if (room === undefined) {
        return sendProblem(reply, "bad_frame", { detail: "The body field room is missing." });
      }
      return write(request, reply, room, { t: "create", ...content });
    },
  };
}

function readRoom(roomApi: RoomApi): HttpRoute {
  return {
    ...READ,
    method: "GET",
    url: "/v1/rooms/:room",
    name: "readRoom",
    summary: "Read the settings of a room, the caller's role and mute",
    description:
      "A closed room that the caller may not see gets `forbidden`. A room without an event is open.",
    checks: { params: roomParams },
    answer: { status: 200, schema: about },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof roomParams>;
      const reader = { user: identity.user, grant: grantFor(room, identity), room };
      const outcome = await roomApi.about(reader);
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      return reply.header("cache-control", "no-store").send({ room, ...outcome.about });
    },
  };
}

function updateRoom(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "PATCH",
    url: "/v1/rooms/:room",
    name: "updateRoom",
    summary: "Change the settings of a room",
    description:
      "Title, topic and avatar need a moderator, everything else an owner. An empty text and 0 remove the value.",
    checks: { params: roomParams, headers: keyHeaders, body: updateBody },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room } = request.params as z.output<typeof roomParams>;
      const content = request.body as z.output<typeof updateBody>;
      return write(request, reply, room, { t: "update", ...content });
    },
  };
}

function readMembers(roomApi: RoomApi): HttpRoute {
  return {
    ...READ,
    method: "GET",
    url: "/v1/rooms/:room/members",
    name: "listMembers",
    summary: "Read one page of the members of a room",
    description:
      "The users with a stored role, mute or ban, in ascending order of their ids. `after` is the last " +
      "user of the previous page.",
    checks: { params: roomParams, querystring: membersQuery },
    answer: { status: 200, schema: members },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof roomParams>;
      const { after, limit } = request.query as z.output<typeof membersQuery>;
      const reader = { user: identity.user, grant: grantFor(room, identity), room };
      const outcome = await roomApi.members(reader, { after, limit });
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      const { members: page, more } = outcome;
      return reply.header("cache-control", "no-store").send({ members: page, more });
    },
  };
}

function setMember(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "PUT",
    url: "/v1/rooms/:room/members/:user",
    name: "setMember",
    summary: "Set the role, the mute or the ban of a user",
    description: "Replaces everything that the room stores of the user.",
    checks: { params: memberParams, headers: keyHeaders, body: memberBody },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, user } = request.params as z.output<typeof memberParams>;
      const content = request.body as z.output<typeof memberBody>;
      return write(request, reply, room, { t: "member", user, ...content });
    },
  };
}

function removeMember(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "DELETE",
    url: "/v1/rooms/:room/members/:user",
    name: "removeMember",
    summary: "Remove a user from a room",
    description: "Ends the membership. In a closed room the user may read nothing more of it.",
    checks: { params: memberParams, headers: keyHeaders },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, user } = request.params as z.output<typeof memberParams>;
      return write(request, reply, room, { t: "member", user, role: "none" });
    },
  };
}
