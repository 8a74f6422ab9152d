// Logger: structured lines of JSON on standard output, written asynchronously.
//
// Levels: error = a human must look; warn = it healed itself but should be rare; info = lifecycle.
//
//   LOGGER1. A line is one JSON object: level, time, name, pid, the fields, and the event as `msg`.
//   LOGGER2. Fields named token, authorization, secret, password or cookie are never written.
//   LOGGER3. `logger.info({ room, seq }, "event name")`: the event is fixed text, everything else is
//            a field, so user text cannot forge a line.
//
// pino flushes what is buffered when the process exits, also through process.exit; only a SIGKILL
// loses the last lines.

import { pino } from "pino";

export type Logger = pino.Logger;
export type Level = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/** A child of a pino logger keeps the level it was born with, so they are remembered. */
const children = new WeakMap<Logger, Logger[]>();

const SECRET_KEYS = ["token", "authorization", "secret", "password", "cookie"];

export function createLogger(options: {
  readonly name: string;
  readonly level?: string;
  /** Where lines go; standard output when left out. Tests collect them here. */
  readonly destination?: pino.DestinationStream;
}): Logger {
  const offspring: Logger[] = [];
  const logger = pino(
    {
      onChild: (child) => void offspring.push(child),
      name: options.name,
      level: options.level ?? process.env["LOG_LEVEL"] ?? "info",
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, url: withoutUserInfo },
      redact: {
        // Three levels deep covers `{ req: { headers: { authorization } } }`.
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: "[redacted]",
      },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
  children.set(logger, offspring);
  return logger;
}

/** From now on, also for its children. */
export function setLevel(logger: Logger, level: Level): void {
  for (const one of [logger, ...(children.get(logger) ?? [])]) one.level = level;
}

/** `nats://user:password@host` is a secret, `nats://host` is what a human needs. */
function withoutUserInfo(url: unknown): unknown {
  return typeof url === "string" ? url.replaceAll(/\/\/[^/\s]*@/g, "//") : url;
}
