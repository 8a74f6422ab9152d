// HttpWrites: the writes of HTTP requests: each is a frame with an id, as over a socket.
//
// Owns: the id of the write, its answer, and what its route can answer. Does not own: the routes
// (http-members.ts, http-messages.ts), the id of a key (idempotency.ts).

import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Clock, Random } from "#shared/ports/clock.ts";
import type { WriteFrame } from "#shared/protocol/commands.ts";
import type { RoomId } from "#shared/protocol/ids.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { BAD_ID, chooseMessageId } from "./idempotency.ts";
import type { keyHeaders } from "./idempotency.ts";
import { sendProblem } from "./problem.ts";

export const done = z.object({
  id: z.string(),
  room: z.string(),
  seq: z.number().int(),
  at: z.number().int(),
});

export const READ = {
  access: "bearer",
  limited: true,
  errors: ["forbidden", "unavailable"],
} as const;
export const WRITE = {
  access: "bearer",
  limited: true,
  // `not_found`: also for an id of a write that was refused so before (O4).
  errors: ["bad_id", "forbidden", "not_found", "conflict", "busy", "unavailable"],
} as const;

/** Writes the frame of a request, and answers with its number. */
export type Write = (
  request: FastifyRequest,
  reply: FastifyReply,
  room: RoomId,
  content: WriteContent,
) => Promise<unknown>;
type WriteContent = WriteFrame extends infer F
  ? F extends WriteFrame
    ? Omit<F, "room" | "id" | "trace">
    : never
  : never;

export function writerOf(roomApi: RoomApi, clock: Clock, random: Random): Write {
  return async (request, reply, room, content) => {
    const { identity } = request;
    if (identity === undefined) return sendProblem(reply, "unauthorized");
    const { user } = identity;
    const { "idempotency-key": key } = request.headers as z.output<typeof keyHeaders>;
    const id = chooseMessageId({ user, room, key }, clock.now(), random);
    if (id === undefined) return sendProblem(reply, "bad_id", { detail: BAD_ID });
    const frame = { room, id, ...content, trace: request.trace } as WriteFrame;
    const outcome = await roomApi.write({ user, grant: grantFor(room, identity), frame });
    if (outcome.kind === "refused") {
      return sendProblem(reply, outcome.error, { afterMs: outcome.afterMs, id });
    }
    const { seq, at } = outcome;
    return reply.code(content.t === "create" ? 201 : 200).send({ id, room, seq, at });
  };
}
