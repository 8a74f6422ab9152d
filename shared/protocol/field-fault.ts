// FieldFault: the fault of one field of a request or frame, and the values that it may have.
//
// Owns: the wording of a fault. Does not own: the sentence around it, how a refusal is sent.
//
//   field-fault.1. A fault names the field as missing or as not valid, and the values that the
//        schema expects. It never holds text of the sender or of zod.

import { z } from "zod";
import { STORABLE_PATTERN } from "./ids.ts";

/** A field of a JSON Schema, as far as the words below need it. */
interface Expected {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

type Fields = Readonly<Record<string, Expected>>;

export interface FieldFault {
  readonly field: string;
  /** "is missing: expected a JSON object" */
  readonly text: string;
}

/** Hostile clients send many broken frames, and a schema never changes. */
const fieldsOfSchemas = new WeakMap<z.ZodType, Fields>();

/** The fault at `path` of zod's first issue. Undefined: `data` as a whole is wrong. */
export function fieldFault(
  schema: z.ZodType,
  data: unknown,
  path: readonly PropertyKey[],
): FieldFault | undefined {
  // Deeper names can be keys that the sender chose.
  const [name] = path;
  if (name === undefined) return undefined;
  const field = String(name);
  const isMissing = !Object.hasOwn(Object(data) as object, field);
  const expected = inWords(fieldsOf(schema)[field] ?? {});
  const text = isMissing ? "is missing" : "is not valid";
  return { field, text: expected === undefined ? text : `${text}: expected ${expected}` };
}

function fieldsOf(schema: z.ZodType): Fields {
  const known = fieldsOfSchemas.get(schema);
  if (known !== undefined) return known;
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as {
    readonly properties?: Fields;
  };
  fieldsOfSchemas.set(schema, properties);
  return properties;
}

function inWords(expected: Expected): string | undefined {
  const { type, minimum, maximum } = expected;
  if (type === "integer") return `a whole number from ${minimum} to ${maximum}`;
  if (type === "string") return stringInWords(expected);
  if (type === "boolean") return "true or false";
  return type === "object" ? "a JSON object" : undefined;
}

function stringInWords({ pattern, minLength = 0, maxLength }: Expected): string {
  if (pattern === STORABLE_PATTERN) return `text of 0 to ${maxLength} characters without U+0000`;
  if (pattern !== undefined) return `text that matches ${pattern}`;
  return maxLength === undefined ? "text" : `text of ${minLength} to ${maxLength} characters`;
}
