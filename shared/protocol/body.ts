// Body: what every store and every client can take as the `body` of a message (F2).
//
// Shared by the decoder of client frames and by the decoder of command batches. No package in here.

import type { JsonObject } from "../kit/json.ts";
import { isStorable, utf8Length } from "./ids.ts";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX } from "./limits.ts";

/** No U+0000, lone surrogate, infinite number or `__proto__` key; nested at most BODY_DEPTH_MAX. */
export function isCleanBody(body: unknown): boolean {
  return isClean(body, 1);
}

/** Throws RangeError for a value that nests too deep: call `isCleanBody` first. */
export function isBodyTooLarge(body: unknown): boolean {
  return utf8Length(JSON.stringify(body)) > BODY_BYTES_MAX;
}

function isClean(value: unknown, depth: number): boolean {
  if (typeof value === "string") return isStorable(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth > BODY_DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isClean(item, depth + 1));
  // Loops over keys: entries and closures cost more than all of the checks.
  for (const key of Object.keys(value)) {
    if (key === "__proto__" || !isStorable(key)) return false;
    if (!isClean((value as JsonObject)[key], depth + 1)) return false;
  }
  return true;
}
