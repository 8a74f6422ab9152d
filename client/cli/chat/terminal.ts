// Terminal: the keys and the size of a terminal, and its state before and after.
//
//   terminal.1. On every way out, also by SIGTERM, SIGHUP or an error, the terminal is as before.
//   terminal.2. A pasted text is one text: its line breaks do not send it (bracketed paste).

import { emitKeypressEvents } from "node:readline";
import type { Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import type { Key } from "./chat.ts";
import type { Size } from "./frame.ts";

interface Keypress {
  readonly name?: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
  readonly sequence: string;
}

/** The time after which an Escape is the key, not the begin of a sequence. */
const ESCAPE_MS = 50;
// A line that is wider than expected is cut, not wrapped: it cannot move the others.
const BEGIN = "\u001b[?2004h\u001b[?7l";
const END = "\u001b[?2004l\u001b[?7h";
const SIZE_MIN: Size = { width: 8, height: 3 };

export class Terminal {
  readonly #in: ReadStream;
  readonly #out: WriteStream;
  #pasted: string | undefined;

  constructor(input: ReadStream, output: WriteStream) {
    this.#in = input;
    this.#out = output;
  }

  get size(): Size {
    const { columns, rows } = this.#out;
    return {
      width: Math.max(SIZE_MIN.width, columns || 80),
      height: Math.max(SIZE_MIN.height, rows || 24),
    };
  }

  begin(onKey: (key: Key) => void, onResize: () => void): void {
    emitKeypressEvents(this.#in, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
    this.#in.setRawMode(true);
    this.#in.on("keypress", (text: string | undefined, key: Keypress) => {
      const read = this.#read(text, key);
      if (read !== undefined) onKey(read);
    });
    this.#in.resume();
    this.#out.on("resize", onResize);
    this.#out.write(BEGIN);
  }

  end(): void {
    this.#in.removeAllListeners("keypress");
    this.#in.setRawMode(false);
    this.#in.pause();
    this.#out.removeAllListeners("resize");
    this.#out.write(END);
  }

  #read(text: string | undefined, key: Keypress): Key | undefined {
    if (key.name === "paste-start") {
      this.#pasted = "";
      return undefined;
    }
    if (key.name === "paste-end") {
      const pasted = this.#pasted ?? "";
      this.#pasted = undefined;
      return pasted === "" ? undefined : { text: pasted };
    }
    if (this.#pasted !== undefined) {
      this.#pasted += text ?? key.sequence;
      return undefined;
    }
    return keyOf(text, key);
  }
}

/** Undefined for a key without a meaning here. */
export function keyOf(text: string | undefined, key: Keypress): Key | undefined {
  const { name, ctrl, meta, shift } = key;
  const isPrintable =
    text !== undefined && !ctrl && !meta && !/[\p{Cc}]/u.test(text) && text !== "";
  if (isPrintable) return { text };
  if (name === undefined) return undefined;
  if (name === "escape") return { name }; // Node says that it has the meta key.
  const isShifted = shift && !ctrl && !meta;
  return {
    name: `${ctrl ? "ctrl+" : ""}${meta ? "meta+" : ""}${isShifted ? "shift+" : ""}${name}`,
  };
}
