// Output: what a command prints: lines for a terminal, or with --json one JSON value a line.
//
//   output.1. With --json standard output holds only JSON values, one a line, and a failure is one
//        JSON object with `error` and `message` on standard error. manual.ts names their fields.
//   output.2. A text of a user reaches a terminal with its control characters made visible: the
//        caller neutralises each line. JSON escapes them.
//   output.3. A command whose reader has ended (`parley tail … | head`) ends too, with code 0.

import { CommanderError } from "commander";
import { NatsUnreachable } from "#shared/adapters/nats-unreachable.ts";
import { ConnectionClosed, ParleyError } from "../sdk/errors.ts";
import { DevTokenError } from "../sdk/dev-token.ts";
import { CliError } from "./cli-error.ts";

export class Output {
  /** Whether the user asked for JSON; known before a command runs. */
  isJson = false;

  /** One result: a value for programs, and its lines for a terminal. */
  print(value: object, ...lines: readonly string[]): void {
    if (this.isJson) console.log(JSON.stringify(value));
    else for (const line of lines) console.log(line);
  }

  /** A line for a terminal only, such as a title. */
  note(line: string): void {
    if (!this.isJson) console.log(line);
  }
}

/** The JSON of a failure. `text`: what a terminal would show. */
export function failureJson(error: unknown, text: string): string {
  return JSON.stringify({ error: failureCode(error), message: text });
}

/** A stable name: of the table of errors, or of the failure of the command itself. */
function failureCode(error: unknown): string {
  if (error instanceof CliError) return error.code;
  if (error instanceof CommanderError) return "usage";
  if (error instanceof NatsUnreachable) return "nats_unreachable";
  if (error instanceof DevTokenError) return `token_${error.code.replaceAll("-", "_")}`;
  if (error instanceof ConnectionClosed) return "closed";
  return error instanceof ParleyError ? error.code : "failed";
}
