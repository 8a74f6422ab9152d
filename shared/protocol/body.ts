// Body: the bounds of the `body` of a message, so that every store and every client keeps it (F2).
//
// The decoder of client frames and the decoder of command batches share these checks. They use no
// package.

import type { JsonObject } from "../kit/json.ts";
import { isStorable, utf8Length } from "./ids.ts";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from "./limits.ts";

/** No U+0000, lone surrogate, infinite number or `__proto__` key; nested at most BODY_DEPTH_MAX. */
export function isCleanBody(body: unknown): boolean {
  return isClean(body, 1);
}

/** Throws RangeError for a value with too many levels. Call `isCleanBody` first. */
export function isBodyTooLarge(body: unknown): boolean {
  return utf8Length(JSON.stringify(body)) > BODY_BYTES_MAX;
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
