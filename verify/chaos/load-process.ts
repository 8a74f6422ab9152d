// Load process: the generator as a child, seen from the run that commands it.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "#shared/testing/wait.ts";
import type { Order, Word } from "./generator.ts";
import type { LoadOptions, LoadState } from "./load.ts";

const ASLEEP_WITHIN_MS = 60_000;
const GENERATOR = fileURLToPath(new URL("generator.ts", import.meta.url));

const NOTHING_YET: LoadState = {
  acked: 0,
  open: 0,
  skipped: 0,
  isIn: false,
  floods: 0,
  asleep: 0,
  surprises: [],
  slipMs: 0,
  quietMs: 0,
};

export class LoadProcess {
  readonly #child: ChildProcess;
  #state = NOTHING_YET;
  #words = 0;
  #hasEnded = false;
  /** The worst lateness of its schedule in the whole run. */
  slipMsMax = 0;

  constructor() {
    this.#child = fork(GENERATOR, [], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (word: Word) => {
      if (word.kind === "ended") {
        this.#hasEnded = true;
        return;
      }
      this.#state = word.state;
      this.#words++;
      this.slipMsMax = Math.max(this.slipMsMax, word.state.slipMs);
    });
  }

  /** As it was a tenth of a second ago. Throws when the generator is gone. */
  get state(): LoadState {
    if (!this.#hasEnded && this.#child.exitCode !== null) throw new Error("the generator is gone");
    return this.#state;
  }

  /** Grows with every report of the generator. */
  get reports(): number {
    return this.#words;
  }

  open(options: LoadOptions, http: string): void {
    this.#order({ kind: "open", options, http });
  }

  start(): void {
    this.#order({ kind: "start" });
  }

  /** Resolves when all of them sleep and their room is being flooded. */
  async sleep(count: number): Promise<void> {
    const { floods } = this.#state;
    this.#order({ kind: "sleep", count });
    await until(() => this.state.floods > floods, {
      withinMs: ASLEEP_WITHIN_MS,
      what: "the sleepers to sleep",
    });
  }

  wake(): void {
    this.#order({ kind: "wake" });
  }

  finish(): void {
    this.#order({ kind: "finish" });
  }

  /** Everything that it recorded is in the file. Idempotent. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.connected) return;
    const gone = once(this.#child, "exit");
    this.#order({ kind: "end" });
    await gone;
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
