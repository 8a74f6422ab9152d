// Problem: how a gateway sends one, its schema in the description of the API, and the failure of a
// validator.
//
//   problem.1. A problem holds only texts of this service: those of the table, or a `detail`. Texts
//        of libraries and stacks go only to the log.

import type { FastifyReply } from "fastify";
import { z } from "zod";
import { UPLOAD_REFUSALS } from "#shared/protocol/attachments.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";
import { problem, PROBLEM_TYPE } from "#shared/protocol/problem.ts";
import type { ProblemDetail } from "#shared/protocol/problem.ts";

export const problemSchema = z.object({
  type: z.string().meta({ examples: ["urn:parley:error:busy"] }),
  title: z.string(),
  status: z.number().int(),
  name: z.enum(Object.keys(ERRORS) as [ErrorName, ...ErrorName[]]),
  retry: z.boolean().meta({ description: "Whether the same request may succeed later." }),
  detail: z.string().optional(),
  afterMs: z.number().int().optional().meta({ description: "The time in ms before a retry." }),
  id: z.string().optional().meta({ description: "Retry with this message id." }),
  reason: z
    .enum(UPLOAD_REFUSALS)
    .optional()
    .meta({
      description:
        "Of an upload: the cluster takes no files (`off`), this file is too large (`size`), all files " +
        "of the user are (`quota`), or the type is not accepted (`type`).",
    }),
});

export function sendProblem(
  reply: FastifyReply,
  name: ErrorName,
  more: ProblemDetail = {},
): FastifyReply {
  const body = problem(name, more);
  if (body.afterMs !== undefined) reply.header("retry-after", Math.ceil(body.afterMs / 1_000));
  if (body.status === 401) reply.header("www-authenticate", challenge(name));
  return reply
    .code(body.status)
    .header("cache-control", "no-store")
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(body));
}

/** Thrown by a validator. The error handler sends its detail. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
  readonly code = "bad_frame" satisfies ErrorName;
  readonly detail: string;

  constructor(detail: string) {
    super(detail);
    this.detail = detail;
  }
}

function challenge(name: ErrorName): string {
  return name === "token_expired" ? 'Bearer error="invalid_token"' : "Bearer";
}
