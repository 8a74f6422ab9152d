// HttpSessions: the routes that list and end the sessions of a user, and revoke the user's tokens.
//
//   http-sessions.1. A user may do so for themselves, and an administrator for everyone. All others
//        get `forbidden`, whether the user exists or not.

import { z } from "zod";
import type { FastifyReply, FastifyRequest } from "fastify";
import { userSchema } from "#shared/protocol/client-frames.ts";
import { isMessageId, UUID_V7 } from "#shared/protocol/ids.ts";
import type { UserId } from "#shared/protocol/ids.ts";
import type { Identity } from "#shared/ports/identity.ts";
import type { SessionsApi } from "../core/sessions-port.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const LEFT = "Some sessions have not confirmed their end. Try again.";
const NO_SESSION = "The user has no such session.";
const FULL = "Too many users have a revocation in force.";

const userParams = z.object({ user: userSchema });
const sessionParams = z.object({
  user: userSchema,
  session: z.string().regex(UUID_V7).refine(isMessageId),
});
const number = z.number().int();
const listed = z.object({
  sessions: z.array(
    z.object({
      session: z.string(),
      since: number.meta({ description: "When it began, in ms since 1970." }),
      client: z.string().optional().meta({ description: "The program, as it names itself." }),
      device: z.string().optional().meta({ description: "The device, as the client names it." }),
      address: z.string().optional().meta({ description: "An IPv4 /24 or an IPv6 /64." }),
      gateway: z.string(),
    }),
  ),
  more: number.meta({ description: "How many sessions the list leaves out." }),
});
const ended = z.object({ ended: number });
const revoked = z.object({
  at: number.meta({ description: "Tokens issued up to this time are refused; ms since 1970." }),
});

const READ = {
  access: "bearer",
  limited: true,
  errors: ["forbidden", "busy", "unavailable"],
} as const;

export function sessionRoutes(sessions: SessionsApi): readonly HttpRoute[] {
  return [listSessions(sessions), endAll(sessions), endOne(sessions), revokeUser(sessions)];
}

function listSessions(sessions: SessionsApi): HttpRoute {
  return {
    ...READ,
    method: "GET",
    url: "/v1/users/:user/sessions",
    name: "listSessions",
    summary: "List the sessions of a user",
    description:
      "The connections of the user to all gateways, the oldest first. A new session appears within " +
      "two seconds; those of a crashed gateway disappear within 12 s. For the user and administrators.",
    checks: { params: userParams },
    answer: { status: 200, schema: listed },
    handle: guarded(async (request, reply, { user }) => {
      const outcome = await sessions.list(user);
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      const { sessions: records, more } = outcome.list;
      const shown = records.map(({ user: _user, from: _from, ...record }) => record);
      return reply.header("cache-control", "no-store").send({ sessions: shown, more });
    }),
  };
}

function endAll(sessions: SessionsApi): HttpRoute {
  return {
    ...READ,
    method: "DELETE",
    url: "/v1/users/:user/sessions",
    name: "endSessions",
    summary: "End all sessions of a user",
    description:
      "Closes the user's connections to all gateways with 4501. The user's tokens stay valid: to refuse " +
      "them too, revoke them. For the user and administrators.",
    checks: { params: userParams },
    answer: { status: 200, schema: ended },
    handle: guarded(async (request, reply, { user }) => {
      const outcome = await sessions.end(user, undefined);
      if (outcome.kind === "refused") return refuse(reply, outcome);
      return reply.send({ ended: outcome.ended });
    }),
  };
}

function endOne(sessions: SessionsApi): HttpRoute {
  return {
    ...READ,
    errors: ["not_found", ...READ.errors],
    method: "DELETE",
    url: "/v1/users/:user/sessions/:session",
    name: "endSession",
    summary: "End one session of a user",
    description: "Closes its connection with 4501. For the user and administrators.",
    checks: { params: sessionParams },
    answer: { status: 200, schema: ended },
    handle: guarded(async (request, reply, { user }) => {
      const { session } = request.params as z.output<typeof sessionParams>;
      const outcome = await sessions.end(user, session);
      if (outcome.kind === "refused") return refuse(reply, outcome);
      if (outcome.ended === 0) return sendProblem(reply, "not_found", { detail: NO_SESSION });
      return reply.send({ ended: outcome.ended });
    }),
  };
}

function revokeUser(sessions: SessionsApi): HttpRoute {
  return {
    ...READ,
    errors: ["conflict", ...READ.errors],
    method: "POST",
    url: "/v1/users/:user/revoke",
    name: "revokeTokens",
    summary: "Revoke the tokens of a user",
    description:
      "Within two seconds every gateway refuses the tokens of the user that were issued until now, and " +
      "closes the connections that used them with 4501. A token that is issued later is valid. For the " +
      "user and administrators.",
    checks: { params: userParams },
    answer: { status: 200, schema: revoked },
    handle: guarded(async (request, reply, { user, identity }) => {
      const outcome = await sessions.revoke(user, identity.user);
      if (outcome.kind === "revoked") return reply.send({ at: outcome.at });
      if (outcome.error !== "conflict") return sendProblem(reply, outcome.error, outcome);
      return sendProblem(reply, "conflict", { detail: FULL });
    }),
  };
}

type Handle = (
  request: FastifyRequest,
  reply: FastifyReply,
  parts: { readonly user: UserId; readonly identity: Identity },
) => Promise<FastifyReply>;

/** http-sessions.1. */
function guarded(handle: Handle): HttpRoute["handle"] {
  return (request, reply) => {
    const { identity } = request;
    if (identity === undefined) return sendProblem(reply, "unauthorized");
    const { user } = request.params as z.output<typeof userParams>;
    const isPermitted = identity.admin || identity.user === user;
    if (!isPermitted) return sendProblem(reply, "forbidden");
    return handle(request, reply, { user, identity });
  };
}

function refuse(
  reply: FastifyReply,
  { error, afterMs }: Extract<Awaited<ReturnType<SessionsApi["end"]>>, { kind: "refused" }>,
): FastifyReply {
  const isLeft = error === "unavailable";
  return sendProblem(reply, error, { afterMs, ...(isLeft && { detail: LEFT }) });
}
