// JSON from outside: text that may be anything, read without throwing.

export type JsonObject = { readonly [key: string]: unknown };

/** The object that `text` holds; undefined when it holds anything else or is not JSON. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Broken and hostile text is expected here; every caller has an answer to `undefined`.
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number from 0 on, as sequences, counts and times are. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
