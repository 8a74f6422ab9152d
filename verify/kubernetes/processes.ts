// Processes: the programs of a cluster, each with a log file.
//
// They outlive the process that starts them, so that a cluster can be kept between two runs. The
// sandbox ends them.

import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PAGE_MIB = 4_096 / (1_024 * 1_024);

export class Processes {
  readonly #logs: string;
  readonly #pids: string;

  constructor(folder: string) {
    this.#logs = join(folder, "logs");
    this.#pids = join(folder, "pids");
    for (const needed of [this.#logs, this.#pids]) mkdirSync(needed, { recursive: true });
  }

  start(name: string, program: string, words: readonly string[]): void {
    const log = openSync(join(this.#logs, `${name}.log`), "a");
    const child = spawn(program, words, { stdio: ["ignore", log, log], detached: true });
    child.on("error", () => undefined); // The log stays empty, and `end` reports the program.
    child.unref();
    writeFileSync(join(this.#pids, name), String(child.pid ?? 0));
  }

  /** Ends one program by its pid. */
  stop(name: string): void {
    try {
      process.kill(this.#pid(name), "SIGTERM");
    } catch {
      // It ended already.
    }
  }

  /** The last lines of its log, for an error. */
  end(name: string, lines = 5): string {
    return readFileSync(join(this.#logs, `${name}.log`), "utf8")
      .trim()
      .split("\n")
      .slice(-lines)
      .join("\n");
  }

  /** The resident memory of the program in MiB; 0 when it does not run. */
  memory(name: string): number {
    try {
      const fields = readFileSync(`/proc/${this.#pid(name)}/statm`, "utf8").split(" ");
      return Math.round(Number(fields[1]) * PAGE_MIB);
    } catch {
      return 0;
    }
  }

  #pid(name: string): number {
    return Number(readFileSync(join(this.#pids, name), "utf8"));
  }
}
