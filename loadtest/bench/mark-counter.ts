// MarkCounter: counts a byte sequence in a stream that arrives in pieces.
//
//   mark-counter.1. The count does not depend on the boundaries of the pieces.

/** Occurrences must not overlap. */
export class MarkCounter {
  readonly #mark: Buffer;
  /** The end of the last piece, shorter than a mark. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  /** Returns how many marks end in `bytes`. The caller may overwrite `bytes` afterwards. */
  count(bytes: Buffer): number {
    const mark = this.#mark;
    const short = mark.length - 1;
    let count = 0;
    if (this.#tail.length > 0) {
      const seam = Buffer.concat([this.#tail, bytes.subarray(0, short)]);
      if (seam.includes(mark)) count++;
    }
    let after = 0;
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, after)) {
      count++;
      after = at + mark.length;
    }
    const rest = bytes.subarray(Math.max(after, bytes.length - short));
    const isTooShort = bytes.length < short;
    this.#tail = isTooShort
      ? Buffer.concat([this.#tail, bytes]).subarray(-short)
      : Buffer.from(rest);
    return count;
  }
}
