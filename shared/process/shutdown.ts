// Shutdown: ends a process in order and within a deadline.
//
// Each part registers its stop when it is opened; stops run in reverse order. Stopping is
// idempotent and always ends the process: with 0 after an orderly stop, with 75 after one behind
// which a supervisor must start it again, with 1 past the deadline or after a failed stop, with 70
// after an uncaught fault.
//
//   shutdown.1. Stops run one after the other, in reverse order of `add`. A stop that throws is
//        logged, and the others still run.
//   shutdown.2. The process exits at the latest `deadlineMs` after the stop began.
//   shutdown.3. An uncaught exception or an unhandled rejection is logged as fatal and ends the
//        process at once (70): memory that may be wrong is discarded, and the log has the truth.
//   shutdown.4. A child whose supervisor exited stops as after SIGTERM, so that a killed supervisor
//        leaves no process behind.

import type { Logger } from "./logger.ts";

export const EXIT_STOPPED = 0;
export const EXIT_FAILED = 1;
/** EX_SOFTWARE of sysexits.h. */
export const EXIT_FAULT = 70;

/** EX_TEMPFAIL of sysexits.h: a supervisor that restarts only after a failure restarts it. */
export const EXIT_REPLACED = 75;

interface Step {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

export class Shutdown {
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #exit: (code: number) => void;
  readonly #steps: Step[] = [];
  #stopping: Promise<void> | undefined;

  constructor(
    logger: Logger,
    options: {
      readonly deadlineMs: number;
      /** For tests; `process.exit` when left out. */
      readonly exit?: (code: number) => void;
    },
  ) {
    this.#logger = logger;
    this.#deadlineMs = options.deadlineMs;
    // A step that failed may have left a handle open, which would keep the process running.
    this.#exit = options.exit ?? ((code): never => process.exit(code));
  }

  add(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /**
   * Stops on SIGTERM, on SIGINT and when the supervisor exits; ends the process on an uncaught
   * fault.
   */
  listen(): void {
    process.on("SIGTERM", () => void this.stop("SIGTERM"));
    process.on("SIGINT", () => void this.stop("SIGINT"));
    process.on("uncaughtException", (error) => this.#fault(error, "uncaught exception"));
    process.on("unhandledRejection", (error) => this.#fault(error, "unhandled rejection"));
    if (process.send !== undefined) {
      process.on("disconnect", () => void this.stop("supervisor exited")); // shutdown.4
      // This listener must not keep a process running that has nothing else to do.
      process.channel?.unref();
    }
  }

  /** Resolves when everything has stopped, just before the process exits. Never rejects. */
  stop(reason: string, code: number = EXIT_STOPPED): Promise<void> {
    this.#stopping ??= this.#run(reason, code);
    return this.#stopping;
  }

  async #run(reason: string, code: number): Promise<void> {
    this.#logger.info({ reason }, "stopping");
    const deadline = setTimeout(() => {
      this.#logger.error({ deadlineMs: this.#deadlineMs }, "stopping took too long");
      this.#exit(EXIT_FAILED); // shutdown.2
    }, this.#deadlineMs);
    let failed = false;
    for (const step of this.#steps.toReversed()) {
      try {
        await step.stop();
      } catch (error: unknown) {
        failed = true;
        this.#logger.error({ error, step: step.name }, "a stop failed"); // shutdown.1
      }
    }
    clearTimeout(deadline);
    this.#logger.info({ reason }, "stopped");
    this.#exit(failed ? EXIT_FAILED : code);
  }

  #fault(error: unknown, event: string): void {
    this.#logger.fatal({ error }, event);
    this.#exit(EXIT_FAULT); // shutdown.3
  }
}
