// HttpSearch: the route that finds messages by their words.
//
//   http-search.1. For a named room the owner judges the user, and the search ends at the head of
//        then (M6). Without a room the archive searches those whose member the user is.

import { z } from "zod";
import { roomSchema, storableText, userSchema } from "#shared/protocol/client-frames.ts";
import { SEARCH_PAGE_MAX, SEARCH_TEXT_LENGTH_MAX } from "#shared/protocol/limits.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import { SEARCH_CURSOR_PATTERN, SEARCH_HAS, SEARCH_ORDERS } from "#shared/protocol/search.ts";
import { SEARCH_PAGE_DEFAULT } from "../core/bounds.ts";
import type { RoomApi } from "../core/room-api-port.ts";
import type { RoomListsApi } from "../core/room-lists-port.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const number = z.number().int();
const time = queryInteger(number.min(0).max(Number.MAX_SAFE_INTEGER)).optional();
const searchQuery = z.object({
  q: storableText(SEARCH_TEXT_LENGTH_MAX).default("").meta({
    description:
      'Words, all of which a message must have; "a phrase", begin* and -excluded. The first 16 count.',
  }),
  room: roomSchema.optional().meta({ description: "Only messages of this room." }),
  from: userSchema.optional().meta({ description: "Only messages of this user." }),
  before: time.meta({ description: "Only messages stored before this time, in ms since 1970." }),
  after: time.meta({ description: "Only messages stored after this time, in ms since 1970." }),
  has: z
    .enum(SEARCH_HAS)
    .optional()
    .meta({ description: "Only messages with a link or a mention." }),
  order: z.enum(SEARCH_ORDERS).default("newest").meta({
    description: "`best`: the best of the 500 newest found messages first.",
  }),
  cursor: z.string().regex(new RegExp(SEARCH_CURSOR_PATTERN, "u")).optional().meta({
    description: "The `next` of the previous page. It keeps the order of that page.",
  }),
  limit: queryInteger(number.min(1).max(SEARCH_PAGE_MAX)).default(SEARCH_PAGE_DEFAULT),
});
const foundMessage = z.object({
  room: z.string(),
  seq: number,
  from: z.string(),
  at: number,
  thread: number.optional(),
  text: z.string().meta({ description: "At most 240 UTF-16 units of the newest text." }),
  highlights: z
    .array(z.array(number).length(2))
    .meta({ description: "The found words in `text`: [begin, end) in UTF-16 units." }),
  cut: z.literal(true).optional().meta({ description: "The message has more text." }),
});
const found = z.object({ messages: z.array(foundMessage), next: z.string().optional() });

export function searchRoute(roomApi: RoomApi, roomLists: RoomListsApi): HttpRoute {
  return {
    method: "GET",
    url: "/v1/search",
    access: "bearer",
    limited: true,
    errors: ["forbidden", "busy", "unavailable"],
    name: "searchMessages",
    summary: "Find messages by their words",
    description:
      "In the rooms whose member the caller is, or in the one that `room` names. A message is found by " +
      "its newest text, a moment after it was stored. A search needs a wanted word, `from` or `has`; " +
      "otherwise it finds nothing. A page can be empty and have `next`.",
    checks: { querystring: searchQuery },
    answer: { status: 200, schema: found },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { user } = identity;
      const { q: text, room, ...rest } = request.query as z.output<typeof searchQuery>;
      const query = { user, text, ...rest };
      if (room === undefined) return answer(reply, await roomLists.search(query));
      // http-search.1
      const judged = await roomApi.about({ user, grant: grantFor(room, identity), room });
      if (judged.kind === "refused") return sendProblem(reply, judged.error, judged);
      const { head: upTo } = judged.about;
      return answer(reply, await roomLists.search({ ...query, room, upTo }));
    },
  };
}

function answer(
  reply: Parameters<typeof sendProblem>[0],
  outcome: Awaited<ReturnType<RoomListsApi["search"]>>,
): unknown {
  if (outcome.kind === "refused") return sendProblem(reply, outcome.error, outcome);
  return reply.header("cache-control", "no-store").send(outcome.found);
}
