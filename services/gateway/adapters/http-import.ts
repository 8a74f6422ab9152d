// HttpImport: the route with which an administrator brings the events of a file into a new room.
//
//   http-import.1. Only a token with `admin` imports. Its requests do not count against the rates:
//        a room of 100,000 messages has hundreds of parts.
//   http-import.2. A part is decided as a whole. `conflict`: it does not continue the room. The
//        caller then asks where the room ends (client/cli/import.ts).

import { z } from "zod";
import { isObject } from "#shared/kit/json.ts";
import { inviteIdSchema, roomSchema } from "#shared/protocol/client-frames.ts";
import type { RoomEvent } from "#shared/protocol/events.ts";
import { utf8Length } from "#shared/protocol/ids.ts";
import { isImportable } from "#shared/protocol/imported-events.ts";
import { IMPORT_BYTES_MAX, IMPORT_EVENTS_MAX } from "#shared/protocol/limits.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const params = z.object({ room: roomSchema });
/** Judged behind the right: a description of each kind would repeat the code that knows them. */
const event = z.custom<RoomEvent>(isObject).meta({
  type: "object",
  description: "An event as an export has it. Another object gets `bad_frame`.",
});
const part = z.object({
  born: inviteIdSchema.meta({ description: "The id of the first event of the room." }),
  events: z.array(event).min(1).max(IMPORT_EVENTS_MAX),
});
const imported = z.object({
  room: z.string(),
  seq: z.number().int().meta({ description: "The number of the last event." }),
});

export function importRoute(roomApi: RoomApi): HttpRoute {
  return {
    method: "POST",
    url: "/v1/rooms/:room/import",
    access: "bearer",
    limited: false,
    errors: ["bad_frame", "forbidden", "conflict", "too_large", "busy", "unavailable"],
    name: "importEvents",
    summary: "Import the next events of a room",
    description:
      "Needs a token with `admin`. The first part makes the room; each other one continues it at the next " +
      "number, with the same `born`. Numbers, senders, ids and times stay. Otherwise: `conflict`.",
    checks: { params, body: part },
    answer: { status: 200, schema: imported },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      if (!identity.admin) return sendProblem(reply, "forbidden"); // http-import.1
      const { room } = request.params as z.output<typeof params>;
      const { born, events } = request.body as z.output<typeof part>;
      if (!events.every((one) => isImportable(one) && one.room === room)) {
        const detail = "An event is none of an export, or names another room.";
        return sendProblem(reply, "bad_frame", { detail });
      }
      if (utf8Length(JSON.stringify(events)) > IMPORT_BYTES_MAX) {
        const detail = `The events have more than ${IMPORT_BYTES_MAX} bytes.`;
        return sendProblem(reply, "too_large", { detail });
      }
      const reader = { user: identity.user, grant: grantFor(room, identity), room };
      const outcome = await roomApi.importEvents(reader, { born, events });
      if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
      return reply.send({ room, seq: outcome.seq });
    },
  };
}
