// Body: the bounds of the `body` of a message, so that every store and every client keeps it (F2).
//
// The decoder of client frames and the decoder of command batches share these checks. They use no
// package.

import type { JsonObject } from "../kit/json.ts";
import { isStorable, utf8Length } from "./ids.ts";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from "./limits.ts";

/** -1.2345678901234567e+300 */
const NUMBER_BYTES_MAX = 24;

/** No U+0000, lone surrogate, infinite number or `__proto__` key; nested at most BODY_DEPTH_MAX. */
export function isCleanBody(body: unknown): boolean {
  return isClean(body, 1);
}

/** Throws RangeError for a value with too many levels. Call `isCleanBody` first. */
export function isBodyTooLarge(body: unknown): boolean {
  // Encoding a body takes five times as long, and most bodies are short.
  if (bytesAtMost(body) <= BODY_BYTES_MAX) return false;
  return utf8Length(JSON.stringify(body)) > BODY_BYTES_MAX;
}

/** Not less than the length of the JSON in UTF-8. A unit of a string has at most `\uXXXX`. */
function bytesAtMost(value: unknown): number {
  if (typeof value === "string") return 6 * value.length + 2;
  if (typeof value !== "object" || value === null) return NUMBER_BYTES_MAX;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) bytes += bytesAtMost(item) + 1;
    return bytes;
  }
  for (const key of Object.keys(value)) {
    bytes += 6 * key.length + 4 + bytesAtMost((value as JsonObject)[key]);
  }
  return bytes;
}

function isClean(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth > BODY_DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isClean(item, depth + 1));
  // A loop over keys, because entries and closures cost more than all of the checks.
  for (const key of Object.keys(value)) {
    if (key === "__proto__" || !isStorable(key)) return false;
    if (!isClean((value as JsonObject)[key], depth + 1)) return false;
  }
  return true;
}
