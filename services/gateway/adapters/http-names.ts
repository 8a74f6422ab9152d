// HttpNames: the routes that read the display names of users, and remove one.
//
//   http-names.1. Every user may read the name of a user whose id they know: an id is no secret,
//        and names are for reading. A user may remove their own name, and an administrator every
//        one.

import { z } from "zod";
import { userSchema } from "#shared/protocol/client-frames.ts";
import { NAMES_MAX } from "#shared/protocol/limits.ts";
import type { NamesApi } from "../core/names-port.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const namesQuery = z.object({
  user: z
    .preprocess(
      (value) => (Array.isArray(value) ? value : [value]),
      z.array(userSchema).min(1).max(NAMES_MAX),
    )
    .meta({ description: "The ids of the users: `user=ada&user=ben`." }),
});
const userParams = z.object({ user: userSchema });
const named = z.object({
  names: z.array(z.object({ user: z.string(), name: z.string() })).meta({
    description: "Users without a name are left out.",
  }),
});

const ACCESS = {
  access: "bearer",
  limited: true,
  errors: ["forbidden", "busy", "unavailable"],
} as const;

export function nameRoutes(names: NamesApi): readonly HttpRoute[] {
  return [
    {
      ...ACCESS,
      errors: ["busy", "unavailable"],
      method: "GET",
      url: "/v1/names",
      name: "readNames",
      summary: "Read the display names of users",
      description:
        "The claim `name` of the newest token with which each user opened a session. A moment after the " +
        "session begins, its name is here.",
      checks: { querystring: namesQuery },
      answer: { status: 200, schema: named },
      async handle(request, reply) {
        const { identity } = request;
        if (identity === undefined) return sendProblem(reply, "unauthorized");
        const { user: users } = request.query as z.output<typeof namesQuery>;
        const outcome = await names.names(identity.user, users);
        if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
        const shown = outcome.names.map(([user, name]) => ({ user, name }));
        return reply.header("cache-control", "no-store").send({ names: shown });
      },
    },
    {
      ...ACCESS,
      method: "DELETE",
      url: "/v1/users/:user/name",
      name: "removeName",
      summary: "Remove the display name of a user",
      description:
        "A token that is issued later with the claim `name` sets it again. For the user and administrators.",
      checks: { params: userParams },
      answer: { status: 200, schema: z.object({ removed: z.literal(true) }) },
      async handle(request, reply) {
        const { identity } = request;
        if (identity === undefined) return sendProblem(reply, "unauthorized");
        const { user } = request.params as z.output<typeof userParams>;
        if (!identity.admin && identity.user !== user) return sendProblem(reply, "forbidden");
        const outcome = await names.forget(identity.user, user);
        if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
        return reply.send({ removed: true });
      },
    },
  ];
}
