// Logger: structured lines of JSON on standard output. A log call never waits for the reader
// (log-output.ts).
//
// Levels: error = an operator must act; warn = the process recovered, but this should be rare; info
// = lifecycle.
//
//   logger.1. A log line is one JSON object: level, time, name, pid, the fields, and the event as
//        `msg`.
//   logger.2. Fields named token, authorization, secret, password or cookie are never written.
//   logger.3. In `logger.info({ room, seq }, "event name")` the event is fixed text and everything
//        else is a field, so user text cannot forge a log line.
//   logger.4. When the reader takes lines again after some were dropped, one log line reports their
//        number.

import { pino } from "pino";
import { Counts } from "../kit/counts.ts";
import { LogOutput, standardOutput } from "./log-output.ts";

export type Logger = pino.Logger;
export type Level = "fatal" | "error" | "warn" | "info" | "debug" | "trace";

/**
 * A child of a pino logger keeps the level of its creation, so `setLevel` needs a list of children.
 */
const children = new WeakMap<Logger, Logger[]>();

/** How often each event was logged. A further event than Counts permits counts as `other`. */
const templates = new WeakMap<Logger, Counts>();

const SECRET_KEYS = ["token", "authorization", "secret", "password", "cookie"];

export function createLogger(options: {
  readonly name: string;
  readonly level?: string;
  /** Where log lines go; standard output when left out. Tests collect them here. */
  readonly destination?: pino.DestinationStream;
}): Logger {
  const offspring: Logger[] = [];
  const output = options.destination ?? standardOutput();
  const events = new Counts();
  const logger = pino(
    {
      onChild: (child) => void offspring.push(child),
      hooks: {
        logMethod(line, method) {
          const event = line.at(-1);
          if (typeof event === "string") events.add(event);
          method.apply(this, line);
        },
      },
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
    output.onDropped = (lines) => logger.warn({ lines }, "log lines were dropped"); // logger.4
  }
  children.set(logger, offspring);
  templates.set(logger, events);
  return logger;
}

/** The events that a logger of `createLogger` and its children have written, with their numbers. */
export function templatesOf(logger: Logger): Iterable<readonly [string, number]> {
  return templates.get(logger) ?? [];
}

/** An unknown LOG_LEVEL must not throw here: the configuration reports it as a complaint. */
function levelOfEnvironment(): string {
  const level = process.env["LOG_LEVEL"] ?? "";
  return level in pino.levels.values ? level : "info";
}

/** Applies from now on, also to the children of `logger`. */
export function setLevel(logger: Logger, level: Level): void {
  for (const one of [logger, ...(children.get(logger) ?? [])]) one.level = level;
}

/** `nats://user:password@host` holds a secret; the log keeps `nats://host`. */
function withoutUserInfo(url: unknown): unknown {
  return typeof url === "string" ? url.replaceAll(/\/\/[^/\s]*@/g, "//") : url;
}
