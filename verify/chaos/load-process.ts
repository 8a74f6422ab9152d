// LoadProcess: the generator as a child process, as the chaos run sees and commands it.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "#shared/testing/wait.ts";
import type { GeneratorCommand, GeneratorReport } from "./generator.ts";
import type { LoadOptions, LoadState } from "./load.ts";

const PAUSED_WITHIN_MS = 60_000;
const JOINED_WITHIN_MS = 60_000;
const LISTED_WITHIN_MS = 30_000;
const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));

const INITIAL_STATE: LoadState = {
  acked: 0,
  pending: 0,
  skipped: 0,
  isJoined: false,
  floods: 0,
  behind: 0,
  clients: 0,
  guests: 0,
  isJoinedByGuests: true,
  unlisted: 0,
  surprises: [],
  slipMs: 0,
  quietMs: 0,
};

export class LoadProcess {
  readonly #child: ChildProcess;
  #state = INITIAL_STATE;
  #reports = 0;
  #hasEnded = false;
  /** The largest lateness of its schedule in the whole run. */
  slipMsMax = 0;

  constructor() {
    this.#child = fork(GENERATOR, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (report: GeneratorReport) => {
      if (report.kind === "ended") {
        this.#hasEnded = true;
        return;
      }
      this.#state = report.state;
      this.#reports++;
      this.slipMsMax = Math.max(this.slipMsMax, report.state.slipMs);
    });
  }

  /** The last reported state, at most a tenth of a second old. Throws when the generator exited. */
  get state(): LoadState {
    if (!this.#hasEnded && this.#child.exitCode !== null) throw new Error("the generator exited");
    return this.#state;
  }

  /** The number of reports from the generator so far. */
  get reports(): number {
    return this.#reports;
  }

  open(options: LoadOptions, http: string): void {
    this.#command({ kind: "open", options, http });
  }

  start(): void {
    this.#command({ kind: "start" });
  }

  /** Resolves when the readers are paused and the load floods their room. */
  async pauseReaders(count: number): Promise<void> {
    const { floods } = this.#state;
    this.#command({ kind: "pause-readers", count });
    await until(() => this.state.floods > floods, {
      withinMs: PAUSED_WITHIN_MS,
      what: "the readers to be paused",
    });
  }

  resumeReaders(): void {
    this.#command({ kind: "resume-readers" });
  }

  /** Resolves when the guests have joined their rooms. */
  async addGuests(count: number): Promise<void> {
    const wanted = this.state.guests + count;
    this.#command({ kind: "add-guests", count });
    await until(() => this.state.guests === wanted && this.state.isJoinedByGuests, {
      withinMs: JOINED_WITHIN_MS,
      what: "the guests to join",
    });
  }

  /** Resolves when all guests have left. */
  async removeGuests(): Promise<void> {
    this.#command({ kind: "remove-guests" });
    await until(() => this.state.guests === 0, {
      withinMs: JOINED_WITHIN_MS,
      what: "the guests to leave",
    });
  }

  /** Resolves when every client that asks for room lists has its last one. */
  async listLast(): Promise<void> {
    const { reports } = this;
    this.#command({ kind: "list-last" });
    await until(() => this.reports > reports + 2 && this.state.unlisted === 0, {
      withinMs: LISTED_WITHIN_MS,
      what: "the last room lists",
    });
  }

  finish(): void {
    this.#command({ kind: "finish" });
  }

  /** Resolves when the file has all records and the process exited. Idempotent. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.connected) return;
    const exited = once(this.#child, "exit");
    this.#command({ kind: "end" });
    await exited;
  }

  #command(command: GeneratorCommand): void {
    this.#child.send(command);
  }
}
