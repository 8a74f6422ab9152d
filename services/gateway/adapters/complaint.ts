// Complaint: one sentence about the first field of an HTTP request that its schema refuses.
//
// Owns: the name of the field's place. Does not own: the fault (shared/protocol/field-fault.ts),
// the schemas (the routes), how a problem is sent (problem.ts).
//
//   complaint.1. A complaint names the field and its place, reports the field as missing or as not
//        valid, and names what the schema expects.

import type { z } from "zod";
import { fieldFault } from "#shared/protocol/field-fault.ts";

/** The part of a request that a schema checks, by Fastify's name. */
export type HttpPart = "body" | "headers" | "params" | "querystring";

const PLACE: { readonly [P in HttpPart]: string } = {
  body: "body field",
  headers: "header",
  params: "path parameter",
  querystring: "query parameter",
};

/** `path`: the place of zod's first issue; empty for the whole part. */
export function complaint(
  schema: z.ZodType,
  part: HttpPart,
  data: unknown,
  path: readonly PropertyKey[],
): string {
  const fault = fieldFault(schema, data, path);
  if (fault !== undefined) return `The ${PLACE[part]} ${fault.field} ${fault.text}.`;
  const isMissing = data === undefined || data === null;
  return `The ${part} is ${isMissing ? "missing" : "not valid"}: expected a JSON object.`;
}
