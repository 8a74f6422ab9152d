// FrameQueue: what one connection has sent and the gateway has not decoded yet.
//
// Owns: texts and a place in the oldest of them. Lines are cut off one at a time, so that a text of
// many thousands of them costs no more at a time than one line.
//
//   frame-queue.1. A text holds one frame a line (F1). Blank lines are none, unless the text has no other: then
//        it is one malformed frame.

/** A string's header, and its place in an array. */
const STRING_OVERHEAD = 32;

export class FrameQueue {
  /** Texts as they came … */
  #came: string[] = [];
  /** … and those that came before them, the oldest last, so that each is taken at no cost. */
  #oldest: string[] = [];
  /** Where the next line of the oldest text begins. */
  #at = 0;
  #hadLine = false;
  #chars = 0;
  #next: string | undefined;

  /** Characters that wait. */
  get chars(): number {
    return this.#chars;
  }

  /** What they cost: a string has a header, and its characters may be two bytes wide. */
  get bytes(): number {
    return 2 * this.#chars + STRING_OVERHEAD * (this.#came.length + this.#oldest.length);
  }

  push(text: string): void {
    this.#came.push(text);
    this.#chars += text.length;
  }

  /** The next frame's text, which stays; undefined when none waits. */
  peek(): string | undefined {
    this.#next ??= this.#cut();
    return this.#next;
  }

  /** Takes what `peek` has shown. */
  drop(): void {
    this.#next = undefined;
  }

  clear(): void {
    this.#came = [];
    this.#oldest = [];
    this.#at = this.#chars = 0;
    this.#hadLine = false;
    this.#next = undefined;
  }

  #cut(): string | undefined {
    for (;;) {
      if (this.#oldest.length === 0) {
        this.#oldest = this.#came.toReversed();
        this.#came = [];
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
    this.#chars -= text.length;
    this.#at = 0;
    this.#hadLine = false;
  }
}
