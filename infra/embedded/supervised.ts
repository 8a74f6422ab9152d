// Supervised: one process of the cluster, restarted until it is stopped.
//
// It does not know the kind of process: it gets a `launch` function and watches the result.
// Services, NATS and PostgreSQL differ only in their `launch`.
//
//   supervised.1. A process that ends by itself is reported and launched again after RESTART_MS,
//        any number of times, unless restarts are off. A launch that fails counts as an end.
//   supervised.2. `stop` sends the given signal, and SIGKILL after the deadline. Nothing is
//        launched after the call, also not by a pending restart.
//   supervised.3. A paused process (SIGSTOP) does not handle SIGTERM, so `stop` also sends SIGCONT.

import { setTimeout as sleep } from "node:timers/promises";

const RESTART_MS = 1_000;

export interface Running {
  readonly pid: number;
  readonly url?: string;
  /** The process id on the wire, for a service. */
  readonly id?: string;
  /** The URL of its metrics, for a service. */
  readonly metrics?: string;
  /** How it ended: "signal SIGKILL", "code 1". Resolves once, never rejects. */
  readonly ended: Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** The reader of its log lines, for a service: a fault may stop or remove it. */
  readonly logs?: LogReading;
}

export interface LogReading {
  pause(): void;
  resume(): void;
  /** Permanently: from now on every write of the process fails. */
  end(): void;
}

export interface SupervisedOptions {
  readonly name: string;
  /**
   * Resolves when the process serves; rejects with a reason in one line when it does not. An abort
   * makes it end the process that it began, and reject.
   */
  readonly launch: (signal: AbortSignal) => Promise<Running>;
  readonly restart: boolean;
  /** Default: RESTART_MS. */
  readonly restartMs?: number;
  readonly say: (line: string) => void;
  /** Called when a new process serves, or the current one ended. */
  readonly onChange: () => void;
}

type State =
  | { readonly kind: "idle" }
  | {
      readonly kind: "launching";
      readonly launching: Promise<Running>;
      readonly abort: AbortController;
    }
  | { readonly kind: "running"; readonly running: Running }
  | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "stopped" };

export class Supervised {
  readonly name: string;
  readonly #options: SupervisedOptions;
  #state: State = { kind: "idle" };

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Undefined while the process is down. */
  get running(): Running | undefined {
    return this.#state.kind === "running" ? this.#state.running : undefined;
  }

  /** The first launch. When it fails, the caller gets the error, and there is no second attempt. */
  async start(): Promise<void> {
    await this.#launch();
  }

  /** Resolves when the process has exited. Idempotent, never rejects. */
  async stop(signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "stopped" }; // supervised.2
    if (before.kind === "waiting") clearTimeout(before.timer);
    if (before.kind === "running") await this.#end(before.running, signal, deadlineMs);
    if (before.kind !== "launching") return;
    before.abort.abort();
    // A launch that could no longer be aborted has a process to end; otherwise there is none.
    const launched = await before.launching.catch(() => undefined);
    if (launched !== undefined) await this.#end(launched, signal, deadlineMs);
  }

  async #end(running: Running, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
    running.signal(signal);
    running.signal("SIGCONT"); // supervised.3
    const inTime = await Promise.race([
      running.ended,
      sleep(deadlineMs, undefined, { ref: false }),
    ]);
    if (inTime !== undefined) return;
    this.#options.say(`${this.name} did not stop within ${deadlineMs} ms; sending SIGKILL`);
    running.signal("SIGKILL");
    await running.ended;
  }

  async #launch(): Promise<void> {
    const abort = new AbortController();
    const launching = this.#options.launch(abort.signal);
    this.#state = { kind: "launching", launching, abort };
    const running = await launching;
    if (this.#isStopped()) return; // `stop` waits for this launch and ends its process.
    this.#state = { kind: "running", running };
    void running.ended.then((how) => this.#onEnded(how));
    this.#options.onChange();
  }

  #onEnded(how: string): void {
    if (this.#isStopped()) return;
    this.#state = { kind: "idle" };
    this.#options.onChange();
    this.#recover(`${this.name} ended (${how})`);
  }

  #recover(what: string): void {
    if (!this.#options.restart) {
      this.#options.say(`${what}; it stays down (RESTART=0)`);
      return;
    }
    const restartMs = this.#options.restartMs ?? RESTART_MS;
    this.#options.say(`${what}; starting it again in ${restartMs / 1_000} s`);
    const timer = setTimeout(() => void this.#relaunch(), restartMs); // supervised.1
    this.#state = { kind: "waiting", timer };
  }

  async #relaunch(): Promise<void> {
    try {
      await this.#launch();
      if (!this.#isStopped())
        this.#options.say(`${this.name} is running again (pid ${this.running?.pid})`);
    } catch (error: unknown) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#isStopped()) this.#recover(`${this.name} did not start: ${reason}`);
    }
  }

  #isStopped(): boolean {
    return this.#state.kind === "stopped";
  }
}
