// Problem: what a gateway says of a refused HTTP request.
//
// Owns: the name and the sentence of a refusal. Does not own: the class of the error.

import { isObject } from "#shared/kit/json.ts";
import { ERRORS } from "#shared/protocol/errors.ts";
import type { ErrorName } from "#shared/protocol/errors.ts";

/** No answer, and the answer of another server such as a proxy, count as `unavailable`. */
export function readProblem(problem: unknown): readonly [code: ErrorName, message: string] {
  const { name, detail, title } = isObject(problem) ? problem : {};
  const isKnown = typeof name === "string" && Object.hasOwn(ERRORS, name);
  const code = isKnown ? (name as ErrorName) : "unavailable";
  const text = typeof detail === "string" ? detail : title;
  return [code, typeof text === "string" ? text : ERRORS[code].message];
}
