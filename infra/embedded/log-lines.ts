// Log lines: what a child writes, kept whole in a file, and the part of it that a human should see.
//
//   log-lines.1. Every byte of a child goes to its file before anything else happens with it; writing is
//        synchronous, so nothing is queued and nothing is lost when the supervisor dies. A write that
//        fails (the disk is full) loses its chunk, is said once, and harms nothing else.
//   log-lines.2. The terminal gets one readable line for each warning, error or fault, and for whatever is
//        not a structured line (a stack printed by Node itself).
//   log-lines.3. A line longer than LINE_BYTES_MAX is shown cut; a file above FILE_BYTES_MAX is set aside
//        as `.1` when its child starts again, so a child has at most two files.

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
  /** The newest line that explains a death: shown when a child ends before it was ready. */
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

  /** Takes all that `stream` gives, until it ends. */
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

/** One line for the terminal; undefined for what need not be shown (log-lines.2). */
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

/** Control characters could drive a terminal; a log line must not. */
function neutral(text: string): string {
  // oxlint-disable-next-line eslint/no-control-regex -- these are what is looked for
  return text.slice(0, LINE_BYTES_MAX).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

function setAsideWhenLarge(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > FILE_BYTES_MAX) renameSync(path, `${path}.1`);
}
