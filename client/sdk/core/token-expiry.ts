// TokenExpiry: reads the expiry of a JWT without any check. Only the server decides whether a token
// is valid. The client must know when to fetch the next token.

import { ALPHABET } from "#shared/kit/base64url.ts";
import { parseObject } from "#shared/kit/json.ts";
import type { Millis } from "#shared/protocol/ids.ts";

/** The `exp` of a JWT in ms since 1970; undefined without one, or when the text is no JWT. */
export function tokenExpiry(token: string): Millis | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  const exp = parseObject(decodeBytes(payload) ?? "")?.["exp"];
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
}

/**
 * Decodes base64url to one character per byte. Text beyond ASCII is garbled. That is harmless:
 * JSON's syntax is ASCII, no byte of a longer UTF-8 sequence is ASCII, and `exp` is a number.
 */
function decodeBytes(text: string): string | undefined {
  let out = "";
  let held = 0;
  let bits = 0;
  for (const character of text.replace(/=+$/, "")) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += String.fromCharCode((held >> bits) & 0xff);
    }
  }
  return out;
}
