// StrictJson: detects what JSON.parse changes without an error: a repeated key, of which only the
// last value survives, and a number that a double cannot hold.
//
//   strict-json.1. Text that JSON.parse keeps whole is never refused. `1.50`, `1e2` and `-0` name a
//        number that a double holds; 9007199254740993, 1e400 and 1e-400 do not.
//   strict-json.2. The cost is linear in the text, also for hostile text, and no nesting depth
//        overflows the stack.
//
// A text without repeated keys has as many colons outside its strings as its value has keys. So one
// pass over the text finds both faults, without a set of keys.

/** What JSON.parse lost from a text. */
export type JsonLoss = "a key is repeated" | "a number is not exact";

const QUOTE = 0x22;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
/** A decimal of at most 15 digits without an exponent survives a double unchanged. */
const SAFE_LENGTH = 15;

/** `value` is JSON.parse(text). Undefined when `value` holds everything that `text` holds. */
export function jsonLoss(text: string, value: unknown): JsonLoss | undefined {
  let colons = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at);
    else if (code === COLON) colons++;
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = numberEnd(text, at);
      if (!isExact(text, at, end)) return "a number is not exact";
      at = end - 1;
    }
  }
  return colons === countKeys(value) ? undefined : "a key is repeated";
}

/** The index of the quote that ends the string which begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let end = start; ;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) return end;
  }
}

/** Numbers hold digits, `.`, `e`, `E`, `+` and `-`; no other JSON token directly follows one. */
function numberEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    const isDigit = code >= ZERO && code <= NINE;
    if (
      !isDigit &&
      code !== 0x2e &&
      code !== 0x65 &&
      code !== 0x45 &&
      code !== 0x2b &&
      code !== MINUS
    )
      return at;
  }
}

function isExact(text: string, start: number, end: number): boolean {
  if (end - start <= SAFE_LENGTH && !hasExponent(text, start, end)) return true;
  const literal = text.slice(start, end);
  const value = Number(literal);
  return Number.isFinite(value) && canonical(literal) === canonical(String(value));
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((text.charCodeAt(at) | 0x20) === 0x65) return true;
  return false;
}

const DECIMAL = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * A canonical form, without the sign: two literals that name the same number get the same text
 * ("12e3" for 12000.0).
 */
function canonical(literal: string): string {
  const [, whole = "", fraction = "", exponent = "0"] = DECIMAL.exec(literal) ?? [];
  const digits = whole + fraction;
  let first = 0;
  while (digits.charCodeAt(first) === ZERO) first++;
  if (first === digits.length) return "0";
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return `${digits.slice(first, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

/**
 * The number of keys of all objects in `value`. Iterative: the text may nest as deep as it is long
 * (strict-json.2).
 */
function countKeys(value: unknown): number {
  let count = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item !== "object" || item === null) continue;
    if (Array.isArray(item)) {
      for (const inner of item) if (typeof inner === "object") open.push(inner);
      continue;
    }
    for (const inner of Object.values(item)) {
      count++;
      if (typeof inner === "object") open.push(inner);
    }
  }
  return count;
}
