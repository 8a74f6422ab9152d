// HttpMessage: the route that reads one message as it is now.
//
//   http-message.1. The event at the number says whether it is a message, and in which thread. A
//        page of messages then has it with its state. Neither ever changes, so the two reads need
//        no common moment.
//   http-message.2. While the archive lacks the message the answer is `unavailable`.

import { z } from "zod";
import { readEvent } from "#shared/protocol/events.ts";
import { roomSchema, targetSchema } from "#shared/protocol/client-frames.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import { event } from "./http-rooms.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { READ } from "./http-writes.ts";
import { sendProblem } from "./problem.ts";

const messageParams = z.object({ room: roomSchema, seq: queryInteger(targetSchema) });
const answer = z.object({
  message: event,
  asOf: z.number().int().meta({ description: "The event as of which it is shown." }),
});

export function readMessage(roomApi: RoomApi): HttpRoute {
  return {
    ...READ,
    errors: [...READ.errors, "not_found"],
    method: "GET",
    url: "/v1/rooms/:room/messages/:seq",
    name: "readMessage",
    summary: "Read one message as it is now",
    description:
      "With its `state`, as in a page with `view=messages`. A deleted message is a tombstone. A number " +
      "that is no message gets `not_found`.",
    checks: { params: messageParams },
    answer: { status: 200, schema: answer },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room, seq } = request.params as z.output<typeof messageParams>;
      const one = { user: identity.user, grant: grantFor(room, identity), room };
      const place = { ...one, after: seq - 1, limit: 1 };
      const stored = await roomApi.page(place);
      if (stored.kind === "refused") return sendProblem(reply, stored.error, stored);
      const line = readEvent(stored.events[0] ?? "");
      if (line?.t !== "msg" || line.seq !== seq) return sendProblem(reply, "not_found");
      const shown = await roomApi.page({ ...place, view: "messages", thread: line.thread });
      if (shown.kind === "refused") return sendProblem(reply, shown.error, shown);
      const [text = ""] = shown.events;
      // http-message.2
      if (readEvent(text)?.seq !== seq) return sendProblem(reply, "unavailable");
      reply.type("application/json; charset=utf-8").header("cache-control", "no-store");
      return reply.send(`{"message":${text},"asOf":${shown.covered?.asOf ?? seq}}`);
    },
  };
}
