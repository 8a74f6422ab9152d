// FrameQueue: what one connection has sent and the gateway has not decoded yet.
//
// Owns: texts and a place in the oldest of them. Lines are cut off one at a time, so that a text of
// many thousands of them costs no more at a time than one line.
//
//   FQ1. A text holds one frame a line (F1). Blank lines are none, unless the text has no other: then
//        it is one malformed frame.

/** Places of texts that are used up before the array is compacted. */
const SLACK = 1_024;
/** A string's header, and its place in the array. */
const STRING_OVERHEAD = 32;

export class FrameQueue {
  #texts: string[] = [];
  #oldest = 0;
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
    return 2 * this.#chars + STRING_OVERHEAD * (this.#texts.length - this.#oldest);
  }

  push(text: string): void {
    this.#texts.push(text);
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
    this.#texts = [];
    this.#oldest = this.#at = this.#chars = 0;
    this.#next = undefined;
  }

  #cut(): string | undefined {
    for (;;) {
      const text = this.#texts[this.#oldest];
      if (text === undefined) return undefined;
      const end = text.indexOf("\n", this.#at);
      if (end < 0 && this.#at === 0) {
        this.#finish(text);
        return text; // Nearly always: one frame.
      }
      const line = text.slice(this.#at, end < 0 ? undefined : end);
      const isBlank = line.trim() === "";
      if (!isBlank) this.#hadLine = true;
      if (end >= 0) this.#at = end + 1;
      else {
        const hadLine = this.#hadLine;
        this.#finish(text);
        if (isBlank && !hadLine) return ""; // FQ1
      }
      if (!isBlank) return line;
    }
  }

  #finish(text: string): void {
    this.#texts[this.#oldest++] = "";
    this.#chars -= text.length;
    this.#at = 0;
    this.#hadLine = false;
    if (this.#oldest === this.#texts.length || this.#oldest > SLACK) {
      this.#texts = this.#texts.slice(this.#oldest);
      this.#oldest = 0;
    }
  }
}
