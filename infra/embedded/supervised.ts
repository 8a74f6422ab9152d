// Supervised: one process of the cluster, kept alive until somebody says stop.
//
// Knows nothing of what the process is: it gets a `launch` and watches what that returns. Services,
// NATS and PostgreSQL differ only in their `launch`.
//
//   supervised.1. A process that ends by itself is reported and launched again after RESTART_MS, as often as
//        it takes, unless restarting is off. A launch that fails counts as an end.
//   supervised.2. `stop` asks with the given signal and after the deadline takes SIGKILL; nothing is
//        launched after it was called, also not by a restart that was due.
//   supervised.3. A process that stands still (SIGSTOP) hears no SIGTERM; `stop` wakes it first.

import { setTimeout as sleep } from "node:timers/promises";

const RESTART_MS = 1_000;

export interface Running {
  readonly pid: number;
  readonly url?: string;
  /** What it calls itself on the wire, when it is a service. */
  readonly id?: string;
  /** Where it answers Prometheus. */
  readonly metrics?: string;
  /** How it ended: "signal SIGKILL", "code 1". Resolves once, never rejects. */
  readonly ended: Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** The reader of its log lines, when it is a service: a fault may stop it or take it away. */
  readonly logs?: LogReading;
}

export interface LogReading {
  pause(): void;
  resume(): void;
  /** For good: from now on a write of the process fails. */
  end(): void;
}

export interface SupervisedOptions {
  readonly name: string;
  /**
   * Resolves when the process serves; rejects with a reason in one line when it does not. An abort
   * makes it end what it began and reject.
   */
  readonly launch: (signal: AbortSignal) => Promise<Running>;
  readonly restart: boolean;
  /** RESTART_MS when left out. */
  readonly restartMs?: number;
  readonly say: (line: string) => void;
  /** A new process serves, or the last one ended. */
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

  /** Undefined while it is down. */
  get running(): Running | undefined {
    return this.#state.kind === "running" ? this.#state.running : undefined;
  }

  /** The first launch: a failure is the caller's, there is no second try. */
  async start(): Promise<void> {
    await this.#launch();
  }

  /** Resolves when the process is gone. Idempotent, never rejects. */
  async stop(signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "stopped" }; // supervised.2
    if (before.kind === "waiting") clearTimeout(before.timer);
    if (before.kind === "running") await this.#end(before.running, signal, deadlineMs);
    if (before.kind !== "launching") return;
    before.abort.abort();
    // A launch that could not be aborted any more has a process to end; else it is gone already.
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
    this.#options.say(`${this.name} did not stop within ${deadlineMs} ms and is killed`);
    running.signal("SIGKILL");
    await running.ended;
  }

  async #launch(): Promise<void> {
    const abort = new AbortController();
    const launching = this.#options.launch(abort.signal);
    this.#state = { kind: "launching", launching, abort };
    const running = await launching;
    if (this.#isStopped()) return; // `stop` waits for this launch and ends what it made.
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
      if (!this.#isStopped()) this.#options.say(`${this.name} is back (pid ${this.running?.pid})`);
    } catch (error: unknown) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.#isStopped()) this.#recover(`${this.name} did not start: ${reason}`);
    }
  }

  #isStopped(): boolean {
    return this.#state.kind === "stopped";
  }
}
