// JSON from outside: parses untrusted text without throwing.

export type JsonObject = { readonly [key: string]: unknown };

/** The object in `text`; undefined when the text is not JSON or not an object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Malformed and hostile text is expected here. Every caller handles `undefined`.
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A whole number ≥ 0: a sequence number, a count or a time. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
