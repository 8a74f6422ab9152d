// Sum: a 32-bit FNV-1a over the text, so that bodies and lines can be compared without keeping
// them.
//
// Not against an adversary: one changed line in four billion goes unnoticed.

export function sumOfText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Of a body, as JSON.stringify writes it. 0 is kept for "not said". */
export function sumOf(body: unknown): number {
  return sumOfText(JSON.stringify(body)) || 1;
}
