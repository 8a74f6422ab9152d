// HttpInvites: the routes that make, list, revoke and use an invite.
//
//   http-invites.1. The gateway derives the secret of an invite from a key, the room, the user and
//        the id. So a repeated request gets the same token. The key is INVITE_KEY or the file
//        INVITE_KEY_FILE, which all gateways share. Without it each process has its own, and a
//        repeat that another gateway receives gets `conflict`: it cannot know the secret.
//   http-invites.2. A caller who sends a `secret` gets the token with it, from every gateway.

import { createHmac } from "node:crypto";
import { z } from "zod";
import { inviteHash } from "#shared/adapters/invite-hash.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { Clock, Random } from "#shared/ports/clock.ts";
import {
  inviteIdSchema,
  inviteSchemas,
  inviteSecretSchema,
  roomSchema,
} from "#shared/protocol/client-frames.ts";
import type { MessageId, RoomId, UserId } from "#shared/protocol/ids.ts";
import { decodeInvite, encodeInvite } from "#shared/protocol/invites.ts";
import { INVITE_TTL_S } from "#shared/protocol/limits.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { HttpRoute } from "./http-route.ts";
import { done, READ, WRITE, writerOf } from "./http-writes.ts";
import type { Write } from "./http-writes.ts";
import { BAD_ID, chooseMessageId, keyHeaders } from "./idempotency.ts";
import { sendProblem } from "./problem.ts";

const LOST_SECRET =
  "The invite exists with a secret that this gateway does not know: revoke it and make another.";
const NO_TOKEN = "The body field token is not an invite of this room.";

const roomParams = z.object({ room: roomSchema });
const inviteParams = z.object({ room: roomSchema, invite: inviteIdSchema });
const inviteBody = z.object({
  ...inviteSchemas,
  secret: inviteSecretSchema.optional().meta({
    description: "22 to 64 random characters of base64url; default: one that the gateway makes.",
  }),
});
const enterBody = z.object({ token: z.string().max(256) });
const made = z.object({
  ...done.shape,
  until: z.number().int().meta({ description: "The end of the invite, in ms since 1970." }),
  token: z.string(),
});

const listed = z.object({
  invites: z.array(
    z.object({
      invite: z.string().meta({ description: "Its id, for `DELETE …/invites/{invite}`." }),
      role: z.enum(["reader", "member"]),
      until: z.number().int().meta({ description: "The end of the invite, in ms since 1970." }),
      uses: z.number().int(),
      used: z.number().int().meta({ description: "The number of guests who entered with it." }),
    }),
  ),
});

export function inviteRoutes(
  roomApi: RoomApi,
  {
    clock,
    random,
    key,
  }: { readonly clock: Clock; readonly random: Random; readonly key: Uint8Array },
): readonly HttpRoute[] {
  const write = writerOf(roomApi, clock, random);
  return [
    makeInvite(roomApi, { clock, random, key }),
    readInvites(roomApi, clock),
    revokeInvite(write),
    enter(write),
  ];
}

function makeInvite(
  roomApi: RoomApi,
  {
    clock,
    random,
    key,
  }: { readonly clock: Clock; readonly random: Random; readonly key: Uint8Array },
): HttpRoute {
  return {
    ...WRITE,
    method: "POST",
    url: "/v1/rooms/:room/invites",
    name: "createInvite",
    summary: "Make an invite to a closed room",
    description:
      "Answers with the `token` of a link. Who has the token becomes a member, as often as `uses` says " +
      "(default 1), for `ttl` seconds (default 7 days). Needs a moderator. A room has at most 100 invites.",
    checks: { params: roomParams, headers: keyHeaders, body: inviteBody },
    answer: { status: 201, schema: made },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof roomParams>;
      const { secret: given, ...terms } = request.body as z.output<typeof inviteBody>;
      const { "idempotency-key": idKey } = request.headers as z.output<typeof keyHeaders>;
      const { user } = identity;
      const id = chooseMessageId({ user, room, key: idKey }, clock.now(), random);
      if (id === undefined) return sendProblem(reply, "bad_id", { detail: BAD_ID });
      const secret = given ?? secretOf(key, { room, user, id });
      const grant = grantFor(room, identity);
      const frame = { t: "invite", room, id, secret, ...terms, trace: request.trace } as const;
      const outcome = await roomApi.write({ user, grant, frame });
      if (outcome.kind === "refused") {
        return sendProblem(reply, outcome.error, { afterMs: outcome.afterMs, id });
      }
      const { seq, at } = outcome;
      let until = at + (terms.ttl ?? INVITE_TTL_S) * 1_000;
      if (outcome.repeat === true) {
        const page = await roomApi.page({
          user,
          grant,
          room,
          after: seq - 1,
          limit: 1,
          known: seq,
        });
        if (page.kind === "refused") return sendProblem(reply, page.error, { ...page, id });
        const stored = parseObject(page.events[0] ?? "");
        if (stored?.["hash"] !== inviteHash(secret))
          return sendProblem(reply, "conflict", { detail: LOST_SECRET, id });
        until = Number(stored["until"]);
      }
      const token = encodeInvite({ room, invite: id, secret });
      return reply.code(201).send({ id, room, seq, at, until, token });
    },
  };
}

function readInvites(roomApi: RoomApi, clock: Clock): HttpRoute {
  return {
    ...READ,
    method: "GET",
    url: "/v1/rooms/:room/invites",
    name: "listInvites",
    summary: "Read the invites of a room that are in force",
    description:
      "The ids of at most 100 invites with their terms and uses, oldest first; no tokens. Needs a moderator.",
    checks: { params: roomParams },
    answer: { status: 200, schema: listed },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof roomParams>;
      const reader = { user: identity.user, grant: grantFor(room, identity), room };
      const outcome = await roomApi.invites(reader);
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      const invites = outcome.invites.filter(({ until }) => until > clock.now());
      return reply.header("cache-control", "no-store").send({ invites });
    },
  };
}

function revokeInvite(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "DELETE",
    url: "/v1/rooms/:room/invites/:invite",
    name: "revokeInvite",
    summary: "Revoke an invite",
    description: "From now on its token opens nothing. Who has entered stays. Needs a moderator.",
    checks: { params: inviteParams, headers: keyHeaders },
    answer: { status: 200, schema: done },
    handle(request, reply) {
      const { room, invite } = request.params as z.output<typeof inviteParams>;
      return write(request, reply, room, { t: "revoke", invite });
    },
  };
}

function enter(write: Write): HttpRoute {
  return {
    ...WRITE,
    method: "POST",
    url: "/v1/rooms/:room/members",
    name: "enterRoom",
    summary: "Enter a closed room with an invite",
    description:
      "The caller becomes a member with the role of the invite. A token that opens nothing (unknown, ended, " +
      "revoked, used up) gets `forbidden`, a member `conflict`.",
    checks: { params: roomParams, headers: keyHeaders, body: enterBody },
    answer: { status: 200, schema: done },
    async handle(request, reply) {
      const { room } = request.params as z.output<typeof roomParams>;
      const token = decodeInvite((request.body as z.output<typeof enterBody>).token);
      if (token === undefined || token.room !== room) {
        return sendProblem(reply, "forbidden", { detail: NO_TOKEN });
      }
      const { invite, secret } = token;
      return write(request, reply, room, { t: "enter", invite, secret });
    },
  };
}

/** http-invites.1. */
function secretOf(
  key: Uint8Array,
  { room, user, id }: { readonly room: RoomId; readonly user: UserId; readonly id: MessageId },
): string {
  const mac = createHmac("sha256", key).update(JSON.stringify(["invite", room, user, id]));
  return mac.digest("base64url");
}
