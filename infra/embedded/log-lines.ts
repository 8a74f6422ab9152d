// Log lines: writes a child's whole output to a file, and shows the important part at the terminal.
//
//   log-lines.1. Every byte of a child goes to its file first. Writing is synchronous, so no byte
//        is queued or lost when the supervisor crashes. A failed write (the disk is full) loses its
//        chunk, is reported once, and affects nothing else.
//   log-lines.2. The terminal gets one readable line for each warning, error or fault, and for
//        every line that is not structured (a stack that Node printed).
//   log-lines.3. A line longer than LINE_BYTES_MAX is shown truncated. A file above FILE_BYTES_MAX
//        is renamed to `.1` when its child starts again, so a child has at most two files.

import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { isObject, parseObject } from "#shared/kit/json.ts";

const LINE_BYTES_MAX = 8_192;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
const SHOWN_LEVELS = new Set(["warn", "error", "fatal"]);
const HIDDEN_FIELDS = new Set(["level", "time", "pid", "name", "msg", "hostname"]);

export class LogFile {
  readonly #fd: number;
  readonly #name: string;
  readonly #say: (line: string) => void;
  /** The newest line that explains a failure: shown when a child exits before it was ready. */
  #lastComplaint = "";
  #closed = false;
  #hasFailed = false;

  constructor(options: {
    readonly path: string;
    readonly name: string;
    readonly say: (line: string) => void;
  }) {
    mkdirSync(dirname(options.path), { recursive: true });
    setAsideWhenLarge(options.path);
    this.#fd = openSync(options.path, "a");
    this.#name = options.name;
    this.#say = options.say;
  }

  get lastComplaint(): string {
    return this.#lastComplaint;
  }

  /** Reads `stream` until it ends. */
  follow(stream: Readable): void {
    let rest = "";
    stream.on("data", (chunk: Buffer) => {
      if (!this.#closed) this.#keep(chunk);
      const lines = (rest + chunk.toString("utf8")).split("\n");
      rest = (lines.pop() ?? "").slice(0, LINE_BYTES_MAX);
      for (const line of lines) this.#show(line);
    });
    stream.on("end", () => this.#show(rest));
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }

  /** log-lines.1. */
  #keep(chunk: Buffer): void {
    try {
      writeSync(this.#fd, chunk);
      this.#hasFailed = false;
    } catch (error: unknown) {
      if (this.#hasFailed) return;
      this.#hasFailed = true;
      this.#say(`${this.#name}: its log file cannot be written: ${String(error)}`);
    }
  }

  #show(line: string): void {
    const readable = readableLine(this.#name, line);
    if (readable === undefined) return;
    this.#lastComplaint = readable;
    this.#say(readable);
  }
}

/** One line for the terminal; undefined when the line is not shown (log-lines.2). */
export function readableLine(name: string, line: string): string | undefined {
  if (line.trim() === "") return undefined;
  const record = parseObject(line);
  if (record === undefined || typeof record["level"] !== "string") {
    return `${name}: ${neutral(line)}`;
  }
  if (!SHOWN_LEVELS.has(record["level"])) return undefined;
  const fields = Object.entries(record)
    .filter(([key]) => !HIDDEN_FIELDS.has(key))
    .map(([key, value]) => `${key}=${fieldText(value)}`);
  return neutral([`${name}: ${record["level"]}: ${String(record["msg"])}`, ...fields].join(" "));
}

function fieldText(value: unknown): string {
  if (isObject(value) && typeof value["message"] === "string") return value["message"];
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Replaces control characters, which could control the terminal. */
function neutral(text: string): string {
  // oxlint-disable-next-line eslint/no-control-regex -- these are what is looked for
  return text.slice(0, LINE_BYTES_MAX).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

function setAsideWhenLarge(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > FILE_BYTES_MAX) renameSync(path, `${path}.1`);
}
