// CliPage: docs/cli.md, written from the command table and the manual.
//
// Owns: the form of the page. Does not own: its facts, which are the commands and manual.ts. A test
// compares the committed page; `WRITE=1` writes it.

import type { Argument, Command, Option } from "commander";
import { commandsOf, jsonText, MANUAL } from "./manual.ts";

const INTRODUCTION = `# The command line

\`parley\` uses and inspects a cluster. In this repository it is \`./parley\`; \`npx parley\` is the same command behind a start of npm, which costs a second.
\`parley <command> --help\` shows the same text as this page, and a test writes the page from the commands.

- **Target.** Beside \`make start\` a command finds the embedded cluster in \`.parley/cluster.json\`. Elsewhere \`--url\` names a gateway; the commands for operators need
  \`--nats\` and \`--nats-nkey\`, and some of them \`--database\`. Each has an environment variable ([settings](operating/settings.md#environment)).
- **User.** With \`AUTH=dev\` a command fetches a dev token for \`--user\`. Elsewhere pass a token of your issuer: \`--token\`, \`PARLEY_TOKEN\`, or \`--token-file\`, which no other
  user of the machine sees in the list of processes.
- **JSON.** With \`--json\` each line of the standard output is one JSON value, and a failure is one line on standard error: \`{"error":"forbidden","message":"…"}\`. \`error\` is
  a name of the [table of errors](protocol.md#errors), or a name of the command: \`failed\`, \`timeout\`, \`gateway_unreachable\`, \`nats_unreachable\`, \`jaeger_unreachable\`, \`token_unreachable\`,
  \`token_no_dev_auth\`, \`usage\`. Fields keep their names; later versions can add some.
- **Exit code.** 0: done. 1: failed, wrongly used, or \`status\` and \`doctor\` found a problem.
- **Completion.** \`source <(parley completion bash)\` in \`~/.bashrc\`, \`source <(parley completion zsh)\` in \`~/.zshrc\` behind \`compinit\`, or
  \`parley completion fish > ~/.config/fish/completions/parley.fish\`.
`;

export function cliPage(program: Command): string {
  const sections = Array.from(commandsOf(program), ({ path, command }) => section(path, command));
  const flags = `## Flags of every command\n\n${flagTable(program.options)}`;
  return `${[INTRODUCTION, flags, ...sections].join("\n").trimEnd()}\n`;
}

function section(path: string, command: Command): string {
  const { examples = [], json = "" } = MANUAL[path] ?? {};
  const words = command.registeredArguments.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
  );
  const rows = command.registeredArguments.map(argumentRow);
  const table = rows.length === 0 ? "" : `\n| argument | |\n|---|---|\n${rows.join("\n")}\n`;
  const flags = command.options.length === 0 ? "" : `\n${flagTable(command.options)}`;
  return `## parley ${path}

\`parley ${path}${words.join("")}\` — ${command.description()}
${table}${flags}
\`\`\`sh
${examples.join("\n")}
\`\`\`

${jsonText(json)}
`;
}

function argumentRow(argument: Argument): string {
  const { argChoices } = argument;
  const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
  return `| \`${argument.name()}\` | ${cell(argument.description)}${choices} |`;
}

function flagTable(options: readonly Option[]): string {
  const rows = options.map(({ flags, description, defaultValue, argChoices }) => {
    const choices = argChoices === undefined ? "" : `: ${argChoices.join(", ")}`;
    const isShown = typeof defaultValue === "string" || typeof defaultValue === "number";
    const initial = isShown ? `; default: ${defaultValue}` : "";
    return `| \`${flags}\` | ${cell(description)}${choices}${initial} |`;
  });
  return `| flag | |\n|---|---|\n${rows.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}
