// HttpActing: requests that a back end makes for a user (`?as=<user>`), with a service token.
//
// Owns: who may act for whom, and the identity of such a request. Does not own: the claim `svc`
// (auth.ts), the rate of a back end (http-hooks.ts), what the user may do in a room (the owner).
//
//   http-acting.1. A request for a user has the rights of this user in the room, and none of the
//        service token: neither `admin` nor a grant (B2).

import type { onRequestHookHandler } from "fastify";
import { z } from "zod";
import { userSchema } from "#shared/protocol/client-frames.ts";
import type { Identity } from "#shared/ports/identity.ts";
import { complaint } from "./complaint.ts";
import { sendProblem } from "./problem.ts";

/** A query parameter of every route that needs a token. */
export const actingQuery = z.object({
  as: userSchema.optional().meta({
    description:
      "For service tokens (`svc`): the user for whom the back end makes the request, 1 to 128 bytes of UTF-8.",
  }),
});

const NO_SERVICE = "Only a token with the claim svc may act as another user.";

/** Behind the rates, which count the back end and not the user. */
export function actingHook(): onRequestHookHandler {
  return (request, reply, done) => {
    const { identity, query } = request;
    const { as: named } = query as { readonly as?: unknown };
    if (identity === undefined || named === undefined) return done();
    if (identity.svc !== true) return void sendProblem(reply, "forbidden", { detail: NO_SERVICE });
    const parsed = actingQuery.required().safeParse({ as: named });
    if (!parsed.success) {
      const detail = complaint(actingQuery, "querystring", { as: named }, ["as"]);
      return void sendProblem(reply, "bad_frame", { detail });
    }
    request.identity = actingAs(identity, parsed.data.as);
    done();
  };
}

function actingAs({ user: service, issuedAt, expiresAt }: Identity, user: Identity["user"]) {
  const times = { ...(issuedAt !== undefined && { issuedAt }), expiresAt };
  return { user, service, admin: false, ...times } satisfies Identity; // http-acting.1
}
