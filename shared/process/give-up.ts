// Giving up: the end of a process that cannot start.
//
//   give-up.1. One line that says what is missing and why, and code 1. A stack tells whoever started it
//        nothing; what it would tell a developer is a defect, and those still throw.

import type { z } from "zod";
import { ConfigError, readConfig } from "./config.ts";
import type { Logger } from "./logger.ts";

export function giveUp(logger: Logger, event: string, detail: object, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  logger.fatal({ ...detail, reason }, event);
  process.exit(1);
}

/** The environment as the schema wants it, or the end with all complaints. */
export function configOrEnd<S extends z.ZodObject>(
  schema: S,
  logger: Logger,
): Readonly<z.output<S>> {
  try {
    return readConfig(schema);
  } catch (error: unknown) {
    if (!(error instanceof ConfigError)) throw error;
    return giveUp(logger, "the environment is not valid", { complaints: error.complaints }, error);
  }
}
