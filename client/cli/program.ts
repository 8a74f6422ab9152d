// Program: the `parley` command, with which a user or a script uses and inspects a cluster.
//
// Owns: the command table, the flags of every command, and the exit codes (0 done, 1 failed or
// wrong use). Does not own: the commands (a file for each group), their examples and JSON fields
// (manual.ts), the texts of failures (failure-text.ts). A command prints its result with Output;
// failures are thrown.

import { Command, CommanderError, Option } from "commander";
import { userOf } from "./arguments.ts";
import { tokenOf } from "./change.ts";
import type { Caller, TokenFlags } from "./change.ts";
import { addChatCommand } from "./chat-command.ts";
import { CliError } from "./cli-error.ts";
import { addCompletionCommand } from "./completion.ts";
import { addDeviceCommands } from "./devices.ts";
import { addEraseCommand } from "./erase-command.ts";
import { addExportCommand } from "./export.ts";
import { failureText } from "./failure-text.ts";
import { addForecastCommand } from "./forecast-command.ts";
import { addHistory } from "./history.ts";
import { addInspection } from "./inspect.ts";
import { addManual } from "./manual.ts";
import { addMessageCommands } from "./message.ts";
import { addOperatorCommands } from "./operate.ts";
import { failureJson, Output } from "./output.ts";
import { addPartitionCommands } from "./partitions.ts";
import { neutral } from "./print.ts";
import { addRegionCommands } from "./region.ts";
import { addRestoreCommands } from "./restore/restore-command.ts";
import { addImportCommand } from "./import.ts";
import { addMemberCommands } from "./room.ts";
import { addSearchCommand } from "./search.ts";
import { addSendCommands } from "./send.ts";
import { readTarget } from "./target.ts";
import type { Target, TargetFlags } from "./target.ts";
import { addWebhookCommands } from "./webhooks.ts";

interface Flags extends TargetFlags, TokenFlags {
  readonly json?: true;
}

/** The command table: each line adds one group of commands, in the order of `parley --help`. */
const GROUPS: readonly ((program: Command, caller: Caller) => void)[] = [
  addChatCommand,
  addSendCommands,
  addHistory,
  addMemberCommands,
  addMessageCommands,
  addSearchCommand,
  addExportCommand,
  addImportCommand,
  addInspection,
  addOperatorCommands,
  addDeviceCommands,
  addForecastCommand,
  addEraseCommand,
  addRestoreCommands,
  addRegionCommands,
  addPartitionCommands,
  addWebhookCommands,
  addCompletionCommand,
];

/**
 * Resolves with the exit code. `writeError` takes one line for standard error; a text of commander
 * comes without its line break.
 */
export async function runProgram(
  args: readonly string[],
  writeError: (line: string) => void,
): Promise<number> {
  let usage = "";
  const { program, target, out } = createProgram((text) => (usage += text));
  // A wrong use ends before any command runs.
  out.isJson = args.includes("--json");
  const fail = (error: unknown, text: string): void => {
    const plain = error instanceof CommanderError ? text : `parley: ${neutral(text)}`;
    writeError(out.isJson ? failureJson(error, text) : plain);
  };
  try {
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error: unknown) {
    if (error instanceof CommanderError) {
      if (usage !== "") fail(error, usage.trimEnd());
      return error.exitCode;
    }
    // A target that cannot be read is a CliError, and needs no target to be described.
    fail(error, error instanceof CliError ? error.message : failureText(error, target()));
    return 1;
  }
}

/** The whole tree of commands; `writeUsage` takes what commander says of a wrong use. */
export function createProgram(writeUsage: (text: string) => void): {
  readonly program: Command;
  readonly target: () => Target;
  readonly out: Output;
} {
  // Before the commands are added: they inherit these settings.
  const program = new Command("parley")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: writeUsage });
  addFlags(program);
  const flags = (): Flags => program.opts<Flags>();
  const out = new Output();
  const target = (): Target => readTarget(flags());
  const caller: Caller = {
    target,
    user: () => flags().user,
    token: (claims) => tokenOf(flags(), target(), claims),
    out,
  };
  for (const add of GROUPS) add(program, caller);
  addManual(program);
  program.hook("preAction", () => {
    out.isJson = flags().json === true;
  });
  return { program, target, out };
}

function addFlags(program: Command): void {
  program
    .description("Use a Parley cluster and inspect it")
    .option("--json", "one JSON value a line, in place of text for a terminal")
    .option("--url <url>", "the gateway, http://… (default: the embedded cluster)")
    .option("--token <token>", "the token to use; also PARLEY_TOKEN")
    .option("--token-file <file>", "a file with the token; it is read again for each connection")
    .option("--nats <url>", "the NATS servers (log, doctor, operator commands)")
    .option("--nats-nkey <file>", "the seed file of the NATS user")
    .option("--database <url>", "PostgreSQL (doctor, restore, erase)")
    .option("--jaeger <url>", "the address of Jaeger (trace); also JAEGER_URL")
    .addOption(
      new Option("--user <name>", "the user of a dev token, without --token; needs AUTH=dev")
        .default("cli")
        .argParser(userOf),
    );
}
