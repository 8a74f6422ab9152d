// LogOutput: writes log lines to standard output without ever blocking the process.
//
// Owns: the log lines that the reader has not taken yet. Does not own: the content of a log line
// (logger.ts).
//
//   log-output.1. A write never blocks the process, neither its main thread nor a thread of its
//        pool. The descriptor is non-blocking, and lines that it does not accept now wait here.
//   log-output.2. At most LOG_BYTES_MAX wait. A line beyond that is dropped and counted. Lines keep
//        their order.
//   log-output.3. A stalled reader, a closed pipe and a full disk are one case: the lines wait, and
//        the output tries again every RETRY_MS. When no line waits any more after some were
//        dropped, `onDropped` gets their number, once.
//   log-output.4. At exit, the process tries for EXIT_WITHIN_MS to write the waiting lines. It does
//        not wait for a closed pipe.
//
// docs/decisions/017-logs-never-block.md explains why this is not a library and why writes are
// synchronous.

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";

/** About five thousand ordinary log lines. */
export const LOG_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 100;
/** A running reader empties a pipe in a few milliseconds; this leaves time on a busy machine. */
const EXIT_WITHIN_MS = 500;
const EXIT_POLL_MS = 10;
const STDOUT = 1;

/**
 * Writes as many bytes as possible at once and returns their number. Throws what `fs.writeSync`
 * throws.
 */
export type WriteNow = (bytes: Uint8Array) => number;

type Flushed = "done" | "full" | "closed";

export class LogOutput {
  readonly #writeNow: WriteNow;
  readonly #bytesMax: number;
  /** The part of the current chunk of lines that is not written yet. */
  #begun: Uint8Array = new Uint8Array();
  /** The lines behind that chunk. */
  #lines: string[] = [];
  #linesBytes = 0;
  #dropped = 0;
  #reported = 0;
  #retry: NodeJS.Timeout | undefined;
  /**
   * Called after the reader has caught up, with the number of lines dropped since the last call.
   */
  onDropped: (count: number) => void = () => undefined;

  constructor(writeNow: WriteNow, bytesMax = LOG_BYTES_MAX) {
    this.#writeNow = writeNow;
    this.#bytesMax = bytesMax;
  }

  /** Lines dropped since the process started; for metrics. */
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

  /**
   * The last write of a process (log-output.4). Blocks for at most EXIT_WITHIN_MS. Never throws.
   */
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
        return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "full" : "closed";
      }
    }
  }
}

let ofProcess: LogOutput | undefined;

/** The output of this process, on its standard output. */
export function standardOutput(): LogOutput {
  if (ofProcess !== undefined) return ofProcess;
  const output = new LogOutput(openStdout());
  process.once("exit", () => output.end());
  ofProcess = output;
  return output;
}

/** log-output.1: makes standard output non-blocking, or opens it again as non-blocking. */
function openStdout(): WriteNow {
  const kind = fstatSync(STDOUT);
  if (kind.isFIFO() || kind.isSocket()) {
    // Node makes a pipe non-blocking when its stream is created, and blocking again at exit. This
    // code never writes to the stream itself: lines waiting in it could not be bounded or flushed.
    void process.stdout;
    return (bytes) => writeSync(STDOUT, bytes);
  }
  // Node keeps a terminal blocking (Ctrl-S would stop the process), so it is opened again. A
  // regular file accepts every write at once.
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
    return STDOUT; // No /proc here, or the terminal no longer belongs to us.
  }
}
