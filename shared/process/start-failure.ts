// Start failure: how a process that cannot start ends.
//
//   start-failure.1. The process logs one fatal line that names what is missing and the reason, and
//        exits with code 1. The line has no stack trace: the operator needs the reason. An error
//        that is a defect of the code is not caught here and keeps its stack trace.

import type { z } from "zod";
import { ConfigError, readConfig } from "./config.ts";
import type { Logger } from "./logger.ts";
import { EXIT_FAILED } from "./shutdown.ts";

/** Logs `event` with the reason from `error`, and exits (start-failure.1). */
export function failStart(logger: Logger, event: string, detail: object, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  logger.fatal({ ...detail, reason }, event);
  // Connections that are already open would keep the process running.
  process.exit(EXIT_FAILED);
}

/** Reads the environment. Exits with all complaints when it does not match the schema. */
export function readConfigOrExit<S extends z.ZodObject>(
  schema: S,
  logger: Logger,
): Readonly<z.output<S>> {
  try {
    return readConfig(schema);
  } catch (error: unknown) {
    if (!(error instanceof ConfigError)) throw error;
    // The text of the error repeats the complaints, so it is not the reason.
    logger.fatal({ complaints: error.complaints }, "the environment is not valid");
    // Its stack trace would say nothing (start-failure.1).
    return process.exit(EXIT_FAILED);
  }
}
