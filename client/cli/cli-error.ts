// CliError: an expected failure of the `parley` command.

/** The text is complete: the command prints it and exits with 1. */
export class CliError extends Error {
  override readonly name = "CliError";
  /** Its stable name for programs: the `error` of its JSON. */
  readonly code: string;

  constructor(message: string, { code = "failed", cause }: CliErrorOptions = {}) {
    super(message, { cause });
    this.code = code;
  }
}

interface CliErrorOptions {
  readonly code?: string;
  readonly cause?: unknown;
}
