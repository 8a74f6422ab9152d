// HttpExport: the route that streams all events of a room.
//
//   http-export.1. The first page is read before the answer begins, so a refusal has its status. A
//        later one is the last line of the answer (export.2), because the status is sent by then.
//   http-export.2. The owner judges the user for each page (M6).
//   http-export.3. The next page is read when the client has read the page before. So an export
//        holds one page in memory, however slow its client is.
//   http-export.4. A user has EXPORTS_PER_USER_MAX exports in progress, all users have EXPORTS_MAX.
//        Beyond it: `busy`.

import { Readable } from "node:stream";
import { z } from "zod";
import { roomSchema } from "#shared/protocol/client-frames.ts";
import { EXPORT_TYPE, encodeExportEnd } from "#shared/protocol/export.ts";
import { encodeExportError, encodeExportHead } from "#shared/protocol/export.ts";
import type { Seq } from "#shared/protocol/ids.ts";
import { grantFor } from "#shared/protocol/roles.ts";
import { EXPORT_PAGE_EVENTS, EXPORTS_MAX, EXPORTS_PER_USER_MAX } from "../core/bounds.ts";
import type { PageOutcome, RoomApi, RoomReader } from "../core/room-api-port.ts";
import { queryInteger } from "./http-route.ts";
import type { HttpRoute } from "./http-route.ts";
import { InProgress } from "./in-progress.ts";
import { sendProblem } from "./problem.ts";

type Page = Extract<PageOutcome, { kind: "page" }>;

const params = z.object({ room: roomSchema });
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const exportQuery = z.object({
  after: queryInteger(seq).default(0).meta({
    description: "The number of the last event that the caller has.",
  }),
});

export function exportRoute(roomApi: RoomApi): HttpRoute {
  const inProgress = new InProgress({ perUserMax: EXPORTS_PER_USER_MAX, max: EXPORTS_MAX });
  return {
    method: "GET",
    url: "/v1/rooms/:room/export",
    access: "bearer",
    limited: true,
    errors: ["forbidden", "busy", "unavailable"],
    name: "exportRoom",
    summary: "Export a room",
    description:
      'Lines of JSON: `{"t":"export",…}`, then every event behind `after` up to the head of now, then ' +
      '`{"t":"end",…}`. Without that last line the answer is a part: continue with `after`. A user who may ' +
      "read the room may export it.",
    checks: { params, querystring: exportQuery },
    answer: { status: 200, type: EXPORT_TYPE, schema: z.string() },
    async handle(request, reply) {
      const { identity } = request;
      if (identity === undefined) return sendProblem(reply, "unauthorized");
      const { room } = request.params as z.output<typeof params>;
      const { after } = request.query as z.output<typeof exportQuery>;
      const reader = { user: identity.user, grant: grantFor(room, identity), room };
      if (!inProgress.begin(reader.user)) return sendProblem(reply, "busy"); // http-export.4
      const end = (): void => inProgress.end(reader.user);
      const known = await roomApi.about(reader);
      const first = known.kind === "refused" ? known : await pageBehind(roomApi, reader, after);
      const refusal = [known, first].find((outcome) => outcome.kind === "refused");
      if (known.kind === "refused" || first.kind === "refused") {
        end();
        return sendProblem(reply, refusal?.error ?? "internal", refusal);
      }
      const { head, born } = known.about;
      const title = encodeExportHead({ room, born, after, head });
      const lines = exported(roomApi, reader, { title, first, after, head });
      const stream = Readable.from(lines, { objectMode: false, highWaterMark: 64 * 1024 });
      stream.once("close", end);
      return reply.type(EXPORT_TYPE).header("cache-control", "no-store").send(stream);
    },
  };
}

function pageBehind(roomApi: RoomApi, reader: RoomReader, after: Seq): Promise<PageOutcome> {
  return roomApi.page({ ...reader, after, limit: EXPORT_PAGE_EVENTS });
}

/** Whole lines. It ends at the head of the begin, also when the room grows meanwhile. */
async function* exported(
  roomApi: RoomApi,
  reader: RoomReader,
  { title, first, after, head }: { title: string; first: Page; after: Seq; head: Seq },
): AsyncGenerator<string> {
  yield `${title}\n`;
  let page: PageOutcome = first;
  for (let last = after; ;) {
    if (page.kind === "refused") return yield `${encodeExportError(page.error)}\n`;
    // Numbers have no gaps, so the place of a line says its number.
    const events = page.events.slice(0, Math.max(0, head - last));
    if (events.length > 0) yield `${events.join("\n")}\n`;
    last += events.length;
    if (last >= head) return yield `${encodeExportEnd(Math.max(after, head))}\n`;
    // A page that has nothing below the head: the room is not readable now.
    if (events.length === 0) return yield `${encodeExportError("unavailable")}\n`;
    page = await pageBehind(roomApi, reader, last);
  }
}
