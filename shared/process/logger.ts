// Logger: structured lines of JSON on standard output. A log call never waits for who reads them
// (log-output.ts).
//
// Levels: error = a human must look; warn = it healed itself but should be rare; info = lifecycle.
//
//   logger.1. A line is one JSON object: level, time, name, pid, the fields, and the event as `msg`.
//   logger.2. Fields named token, authorization, secret, password or cookie are never written.
//   logger.3. `logger.info({ room, seq }, "event name")`: the event is fixed text, everything else is
//            a field, so user text cannot forge a line.
//   logger.4. When the reader takes lines again after some were dropped, one line says how many.

import { pino } from "pino";
import { LogOutput, standardOutput } from "./log-output.ts";

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
  const output = options.destination ?? standardOutput();
  const logger = pino(
    {
      onChild: (child) => void offspring.push(child),
      name: options.name,
      level: options.level ?? levelOfEnvironment(),
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
    output,
  );
  if (output instanceof LogOutput) {
    output.onDropped = (lines) => logger.warn({ lines }, "log lines were dropped"); // LOGGER4
  }
  children.set(logger, offspring);
  return logger;
}

/** An unknown LOG_LEVEL must not throw here: the configuration reports it as a complaint. */
function levelOfEnvironment(): string {
  const level = process.env["LOG_LEVEL"] ?? "";
  return level in pino.levels.values ? level : "info";
}

/** From now on, also for its children. */
export function setLevel(logger: Logger, level: Level): void {
  for (const one of [logger, ...(children.get(logger) ?? [])]) one.level = level;
}

/** `nats://user:password@host` is a secret, `nats://host` is what a human needs. */
function withoutUserInfo(url: unknown): unknown {
  return typeof url === "string" ? url.replaceAll(/\/\/[^/\s]*@/g, "//") : url;
}
