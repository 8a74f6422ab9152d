// Sum: 32-bit FNV-1a checksums of bodies and lines, so that the checker can compare them without
// keeping them.
//
// Not safe against an adversary: one changed line in four billion goes unnoticed.

export function sumOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/**
 * The checksum of a body as JSON.stringify writes it. It is never 0, which stands for "no
 * checksum".
 */
export function sumOf(body: unknown): number {
  return sumOfText(JSON.stringify(body)) || 1;
}
