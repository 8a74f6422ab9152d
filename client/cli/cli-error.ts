// CliError: an expected failure of the `parley` command.

/** The text is complete: the command prints it and exits with 1. */
export class CliError extends Error {
  override readonly name = "CliError";
}
