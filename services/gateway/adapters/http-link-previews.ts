// HttpLinkPreviews: the route that gives the preview of a link.
//
// Owns: who may ask. Does not own: the preview (services/webhooks).
//
//   http-link-previews.1. That there is no preview is an answer, not an error: a page without one
//        is usual, and so is a cluster that makes none (LP2).

import { z } from "zod";
import { linkUrlSchema, NO_PREVIEW_REASONS } from "#shared/protocol/link-previews.ts";
import type { LinkPreviewsApi } from "../core/link-previews-port.ts";
import type { HttpRoute } from "./http-route.ts";
import { sendProblem } from "./problem.ts";

const query = z.object({ url: linkUrlSchema });
const preview = z.object({
  title: z.string(),
  description: z.string().optional(),
  site: z.string().optional().meta({ description: "The name that the site gives itself." }),
});
const answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("preview"), preview }),
  z.object({
    kind: z.literal("none"),
    reason: z.enum(NO_PREVIEW_REASONS).meta({
      description:
        "`off`: this cluster makes no previews. `unavailable`: not now. `nothing`: none for this URL.",
    }),
  }),
]);

export function linkPreviewRoute(previews: LinkPreviewsApi): HttpRoute {
  return {
    access: "bearer",
    limited: true,
    errors: ["busy"],
    method: "GET",
    url: "/v1/link-preview",
    name: "previewLink",
    summary: "Read what the page behind a link says of itself",
    description:
      "The cluster fetches the page, if the operator has switched previews on (`LINK_PREVIEWS`). All " +
      "texts are those of a stranger: show them as texts, and show the host of the link.",
    checks: { querystring: query },
    answer: { status: 200, schema: answer },
    async handle(request, reply) {
      if (request.identity === undefined) return sendProblem(reply, "unauthorized");
      const { url } = request.query as z.output<typeof query>;
      return reply.header("cache-control", "no-store").send(await previews.preview(url));
    },
  };
}
