// base64url: encodes bytes, or a string's UTF-8, without Buffer or btoa, for names in places that
// allow few characters.

export const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function base64url(text: string): string {
  return base64urlOf(utf8(text));
}

export function base64urlOf(bytes: Iterable<number>): string {
  let out = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += ALPHABET[(held >> bits) & 63] ?? "";
    }
  }
  return bits > 0 ? out + (ALPHABET[(held << (6 - bits)) & 63] ?? "") : out;
}

export function* utf8(text: string): Generator<number> {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      yield code;
      continue;
    }
    let more = code < 0x800 ? 1 : code < 0x1_0000 ? 2 : 3;
    // The first byte has as many leading ones as the character has bytes.
    yield ((0xf80 >> more) & 0xff) | (code >> (6 * more));
    while (more-- > 0) yield 0x80 | ((code >> (6 * more)) & 63);
  }
}
