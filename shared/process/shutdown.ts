// Shutdown: how a process ends, in order and in time.
//
// main.ts adds what it opened as it opens it; stopping goes the other way round. Stopping is
// idempotent and always ends the process: with 0 in order, with 1 past the deadline or when a stop
// failed, with 70 after a fault nobody caught.
//
//   shutdown.1. Stops run one after the other, in reverse order of `add`; one that throws is logged and
//        does not keep the others from running.
//   shutdown.2. The process is gone `deadlineMs` after the stop began, whatever hangs.
//   shutdown.3. An uncaught exception or an unhandled rejection is logged as fatal and ends the process at
//        once (70): memory that may be wrong is not kept, the log is the truth.
//   shutdown.4. A child whose supervisor vanished stops as if it had been told to, so a killed supervisor
//        leaves no process behind.

import type { Logger } from "./logger.ts";

export const EXIT_STOPPED = 0;
export const EXIT_FAILED = 1;
/** EX_SOFTWARE of sysexits.h. */
export const EXIT_FAULT = 70;

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
      /** For tests; ends the process when left out. */
      readonly exit?: (code: number) => void;
    },
  ) {
    this.#logger = logger;
    this.#deadlineMs = options.deadlineMs;
    this.#exit = options.exit ?? ((code): never => process.exit(code));
  }

  add(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /** Stops on SIGTERM, SIGINT and the loss of a supervisor; ends the process on any fault. */
  listen(): void {
    process.on("SIGTERM", () => void this.stop("SIGTERM"));
    process.on("SIGINT", () => void this.stop("SIGINT"));
    process.on("uncaughtException", (error) => this.#fault(error, "uncaught exception"));
    process.on("unhandledRejection", (error) => this.#fault(error, "unhandled rejection"));
    if (process.send !== undefined) {
      process.on("disconnect", () => void this.stop("supervisor is gone")); // shutdown.4
      process.channel?.unref(); // Listening must not hold a process that has nothing else to do.
    }
  }

  /** Resolves when everything has stopped, just before the process ends. Never rejects. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#run(reason);
    return this.#stopping;
  }

  async #run(reason: string): Promise<void> {
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
    this.#exit(failed ? EXIT_FAILED : EXIT_STOPPED);
  }

  #fault(error: unknown, event: string): void {
    this.#logger.fatal({ error }, event);
    this.#exit(EXIT_FAULT); // shutdown.3
  }
}
