// LogOutput: the way of a process' log lines to its standard output, on which the process never waits.
//
// Owns: the lines that the reader has not taken yet. Does not own: what a line says (logger.ts).
//
//   log-output.1. A write never blocks the process, neither its main thread nor a thread of its pool: the
//         descriptor is non-blocking, and lines that it does not take now wait here.
//   log-output.2. At most LOG_BYTES_MAX wait. A line beyond them is dropped and counted. Lines keep their order.
//   log-output.3. A reader that stands still, one that is gone and a full disk are one case: the lines wait, and
//         every RETRY_MS the output tries again. When no line waits any more after some were dropped,
//         `onDropped` gets their number, once.
//   log-output.4. A process that ends gives the lines that wait EXIT_WITHIN_MS, and none to a reader that is gone.
//
// Why not a library, and why no asynchronous write: docs/decisions/017-logs-never-block.md.

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** Five thousand ordinary lines. */
export const LOG_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 100;
/** A reader that is alive takes a pipe's worth in a few milliseconds; this is for a busy machine. */
const EXIT_WITHIN_MS = 500;
const EXIT_POLL_MS = 10;
const STDOUT = 1;

/** Takes as many bytes as it can at once and says how many; throws what `fs.writeSync` throws. */
export type WriteNow = (bytes: Uint8Array) => number;

type Flushed = "done" | "full" | "gone";

export class LogOutput {
  readonly #writeNow: WriteNow;
  readonly #bytesMax: number;
  /** Of a chunk of lines: the part that is not written yet. */
  #begun: Uint8Array = new Uint8Array();
  /** Lines behind it. */
  #lines: string[] = [];
  #linesBytes = 0;
  #dropped = 0;
  #reported = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Called with the number of lines that were lost since the last call, when the reader is back. */
  onDropped: (count: number) => void = () => undefined;

  constructor(writeNow: WriteNow, bytesMax = LOG_BYTES_MAX) {
    this.#writeNow = writeNow;
    this.#bytesMax = bytesMax;
  }

  /** Lines that were dropped since the process began; for metrics. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that wait for the reader; for metrics. */
  get waiting(): number {
    return this.#begun.length + this.#linesBytes;
  }

  /** `line` ends with a newline. Never throws. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.waiting + bytes > this.#bytesMax) {
      this.#dropped++; // log-output.2
      return;
    }
    this.#lines.push(line);
    this.#linesBytes += bytes;
    if (this.#retry === undefined) this.#tryNow();
  }

  /** The last act of a process (log-output.4). It blocks for EXIT_WITHIN_MS at most, and never throws. */
  end(): void {
    const deadline = performance.now() + EXIT_WITHIN_MS;
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    while (this.#flush() === "full" && performance.now() < deadline) {
      Atomics.wait(sleeper, 0, 0, EXIT_POLL_MS);
    }
  }

  #tryNow(): void {
    this.#retry = undefined;
    if (this.#flush() !== "done") {
      this.#retry = setTimeout(() => this.#tryNow(), RETRY_MS).unref(); // log-output.3
      return;
    }
    const lost = this.#dropped - this.#reported;
    this.#reported = this.#dropped;
    if (lost > 0) this.onDropped(lost);
  }

  #flush(): Flushed {
    for (;;) {
      if (this.#begun.length === 0) {
        if (this.#lines.length === 0) return "done";
        this.#begun = Buffer.from(this.#lines.join(""));
        this.#lines = [];
        this.#linesBytes = 0;
      }
      try {
        this.#begun = this.#begun.subarray(this.#writeNow(this.#begun));
      } catch (error: unknown) {
        return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "full" : "gone";
      }
    }
  }
}

let ofProcess: LogOutput | undefined;

/** The one of this process, on its standard output. */
export function standardOutput(): LogOutput {
  if (ofProcess !== undefined) return ofProcess;
  const output = new LogOutput(openStdout());
  process.once("exit", () => output.end());
  ofProcess = output;
  return output;
}

/** log-output.1: makes standard output non-blocking, or opens it once more as non-blocking. */
function openStdout(): WriteNow {
  const kind = fstatSync(STDOUT);
  if (kind.isFIFO() || kind.isSocket()) {
    // Node makes a pipe non-blocking as soon as its stream exists, and undoes that when it exits.
    // The stream itself is never written to: what waits in it could not be bounded or flushed.
    void process.stdout;
    return (bytes) => writeSync(STDOUT, bytes);
  }
  // Node keeps a terminal blocking (Ctrl-S would stop the process), so it is opened once more. A file
  // takes what it is given; a disk that stands still stops everything else as well.
  const fd = isatty(STDOUT) ? reopened() : STDOUT;
  return (bytes) => writeSync(fd, bytes);
}

function reopened(): number {
  try {
    return openSync(
      `/proc/self/fd/${STDOUT}`,
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
  } catch {
    return STDOUT; // No /proc here, or not our terminal any more.
  }
}
