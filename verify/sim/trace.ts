// Trace: the lines that describe a run, and their fingerprint.
//
// Every message with its bytes, every append, every frame and every fault is one line. Two runs are
// equal if their fingerprints are equal.

import type { Millis } from "#shared/protocol/ids.ts";

export class Trace {
  readonly #now: () => Millis;
  readonly #sink: ((line: string) => void) | undefined;
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;
  #lines = 0;

  constructor(now: () => Millis, sink?: (line: string) => void) {
    this.#now = now;
    this.#sink = sink;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Two independent 32-bit hashes over all lines so far. */
  get fingerprint(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");
    return hex(this.#a) + hex(this.#b);
  }

  add(event: string, payload?: string | Uint8Array): void {
    this.#lines++;
    const line = `${this.#now().toFixed(3)} ${event}`;
    this.#mixText(line);
    if (typeof payload === "string") this.#mixText(payload);
    else if (payload !== undefined) this.#mixBytes(payload);
    if (this.#sink === undefined) return;
    const text = payload instanceof Uint8Array ? new TextDecoder().decode(payload) : payload;
    this.#sink(text === undefined ? line : `${line} ${text.replaceAll("\n", "⏎")}`);
  }

  #mixText(text: string): void {
    let [a, b] = [this.#a, this.#b];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x85ebca6b) + 0x7ed55d16;
    }
    [this.#a, this.#b] = [a, b];
  }

  #mixBytes(bytes: Uint8Array): void {
    let [a, b] = [this.#a, this.#b];
    for (const code of bytes) {
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code, 0x85ebca6b) + 0x7ed55d16;
    }
    [this.#a, this.#b] = [a, b];
  }
}
