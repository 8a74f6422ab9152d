// Complaint: one sentence about the first field of a request that its schema refuses.
//
// Owns: the wording. Does not own: the schemas (the routes), how a problem is sent (problem.ts).
//
//   complaint.1. A complaint names the field, reports it as missing or as not valid, and names what the
//        schema expects. It never holds text of the request or of zod.

import { z } from "zod";

/** The part of a request that a schema checks, by Fastify's name. */
export type HttpPart = "body" | "headers" | "params" | "querystring";

const FIELD: { readonly [P in HttpPart]: string } = {
  body: "body field",
  headers: "header",
  params: "path parameter",
  querystring: "query parameter",
};

/** The fields of a JSON Schema that `inWords` uses. */
interface Expected {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** `path`: the place of zod's first issue; empty for the whole part. */
export function complaint(
  schema: z.ZodType,
  part: HttpPart,
  data: unknown,
  path: readonly PropertyKey[],
): string {
  const [name] = path;
  if (name === undefined) {
    const isMissing = data === undefined || data === null;
    return `The ${part} is ${isMissing ? "missing" : "not valid"}: expected a JSON object.`;
  }
  // Deeper names can be keys that the caller chose.
  const field = String(name);
  const isMissing = !Object.hasOwn(Object(data) as object, field);
  const expected = expectation(schema, field);
  return (
    `The ${FIELD[part]} ${field} is ${isMissing ? "missing" : "not valid"}` +
    `${expected === undefined ? "" : `: expected ${expected}`}.`
  );
}

function expectation(schema: z.ZodType, field: string): string | undefined {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as {
    readonly properties?: Readonly<Record<string, Expected>>;
  };
  const { [field]: expected } = properties;
  return expected === undefined ? undefined : inWords(expected);
}

function inWords(expected: Expected): string | undefined {
  const { type, minimum, maximum } = expected;
  if (type === "integer") return `a whole number from ${minimum} to ${maximum}`;
  if (type === "string") return stringInWords(expected);
  if (type === "boolean") return "true or false";
  return type === "object" ? "a JSON object" : undefined;
}

function stringInWords({ pattern, minLength = 0, maxLength }: Expected): string {
  if (pattern !== undefined) return `text that matches ${pattern}`;
  return maxLength === undefined ? "text" : `text of ${minLength} to ${maxLength} characters`;
}
