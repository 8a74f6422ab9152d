// FrameQueue: the text that one connection sent and the gateway has not decoded.
//
// Owns: the texts and the position in the oldest one. It cuts one line at a time, so a text of many
// thousands of lines costs no more per step than one line.
//
//   frame-queue.1. A text holds one frame per line (F1). Blank lines are ignored. A text of blank
//        lines alone is one malformed frame.

/** The header of a string and its slot in an array, in bytes. */
const STRING_OVERHEAD = 32;
/** Most queues hold one text for a moment, and share their empty list. */
const NONE: string[] = [];

export class FrameQueue {
  /** New texts in arrival order … */
  #came = NONE;
  /** … and the texts before them, the oldest last, so that `pop` removes it. */
  #oldest = NONE;
  /** The position of the next line in the oldest text. */
  #at = 0;
  #hadLine = false;
  #chars = 0;
  #next: string | undefined;

  /** Waiting characters. */
  get chars(): number {
    return this.#chars;
  }

  /** Their memory. A string has a header, and each character may take two bytes. */
  get bytes(): number {
    return 2 * this.#chars + STRING_OVERHEAD * (this.#came.length + this.#oldest.length);
  }

  push(text: string): void {
    if (this.#came === NONE) this.#came = [text];
    else this.#came.push(text);
    this.#chars += text.length;
  }

  /** The next frame without removing it; undefined when none waits. */
  peek(): string | undefined {
    this.#next ??= this.#cut();
    return this.#next;
  }

  /** Removes the frame that `peek` returned. */
  drop(): void {
    this.#next = undefined;
  }

  #cut(): string | undefined {
    for (;;) {
      if (this.#oldest.length === 0) {
        this.#oldest = this.#came.toReversed();
        this.#came = NONE;
      }
      const text = this.#oldest.at(-1);
      if (text === undefined) return undefined;
      const end = text.indexOf("\n", this.#at);
      const line = text.slice(this.#at, end < 0 ? undefined : end);
      const isBlank = line.trim() === "";
      if (!isBlank) this.#hadLine = true;
      if (end >= 0) this.#at = end + 1;
      else {
        const hadLine = this.#hadLine;
        this.#finish(text);
        if (isBlank && !hadLine) return ""; // frame-queue.1
      }
      if (!isBlank) return line;
    }
  }

  #finish(text: string): void {
    this.#oldest.pop();
    if (this.#oldest.length === 0) this.#oldest = NONE;
    this.#chars -= text.length;
    this.#at = 0;
    this.#hadLine = false;
  }
}
