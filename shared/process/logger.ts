// Logger: structured lines of JSON on standard output, written asynchronously.
//
// `logger.info({ room, seq }, "event name")`: the event is the message, everything else is a field,
// so user text is never part of a message and cannot forge a line.
// Levels: error = a human must look; warn = it healed itself but should be rare; info = lifecycle.
//
// pino flushes what is buffered when the process exits, also through process.exit; only a SIGKILL
// loses the last lines.

import { pino } from "pino";

export type Logger = pino.Logger;

const SECRET_KEYS = ["token", "authorization", "secret", "password", "cookie"];

export function createLogger(options: {
  readonly name: string;
  readonly level?: string;
  /** Where lines go; standard output when left out. Tests collect them here. */
  readonly destination?: pino.DestinationStream;
}): Logger {
  return pino(
    {
      name: options.name,
      level: options.level ?? process.env["LOG_LEVEL"] ?? "info",
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
      redact: {
        // Three levels deep covers `{ req: { headers: { authorization } } }`.
        paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
        censor: "[redacted]",
      },
    },
    options.destination ?? pino.destination({ fd: 1, sync: false }),
  );
}
