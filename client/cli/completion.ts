// Completion: `parley completion bash|zsh|fish` prints the script with which a shell completes the
// command.
//
//   completion.1. The script holds the whole table of commands, so a shell completes without
//        starting `parley`. It is printed again after an upgrade.
//   completion.2. Commands, flags, the choices of a flag or argument, and files are completed;
//        users and rooms are not.

import { Argument } from "commander";
import type { Command, Option } from "commander";
import type { Caller } from "./change.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A place in the tree: the words of its command, "" for `parley` itself. */
interface Place {
  readonly path: string;
  readonly commands: readonly Named[];
  readonly flags: readonly Named[];
  /** The choices of its arguments. */
  readonly choices: readonly string[];
}

interface Named {
  readonly name: string;
  readonly text: string;
}

/** A flag that takes a value. */
interface Valued {
  readonly flag: string;
  readonly choices: readonly string[];
  readonly isFile: boolean;
}

export function addCompletionCommand(program: Command, { out }: Caller): void {
  program
    .command("completion")
    .description("print a script for your shell: source it in its configuration")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .action((shell: Shell) => {
      const script = completionScript(program, shell);
      out.print({ shell, script }, script);
    });
}

export function completionScript(program: Command, shell: Shell): string {
  const places = placesOf(program, "", globalFlags(program));
  const valued = valuedOf(program);
  if (shell === "bash") return bashScript(places, valued);
  return shell === "zsh" ? zshScript(places, valued) : fishScript(places, valued);
}

function placesOf(command: Command, path: string, globals: readonly Named[]): readonly Place[] {
  const commands = command.commands.map((one) => ({ name: one.name(), text: one.description() }));
  const own = path === "" ? [] : command.options.filter(({ hidden }) => !hidden).map(namedOf);
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const below = command.commands.flatMap((one) =>
    placesOf(one, path === "" ? one.name() : `${path} ${one.name()}`, globals),
  );
  return [{ path, commands, flags: [...own, ...globals], choices }, ...below];
}

function globalFlags(program: Command): readonly Named[] {
  return [...program.options.map(namedOf), { name: "--help", text: "show the help" }];
}

function namedOf(option: Option): Named {
  return { name: option.long ?? option.flags, text: option.description };
}

function valuedOf(command: Command): readonly Valued[] {
  const own = command.options
    .filter(({ required, optional }) => required || optional)
    .map(({ long, flags, argChoices }) => ({
      flag: long ?? flags,
      choices: argChoices ?? [],
      isFile: /<(?:file|dir)>/.test(flags),
    }));
  const all = [...own, ...command.commands.flatMap(valuedOf)];
  return [...new Map(all.map((one) => [one.flag, one])).values()];
}

function namesOf(list: readonly Named[]): string {
  return list.map(({ name }) => name).join(" ");
}

/** The paths of all commands, as patterns of a `case`. */
function pathPattern(places: readonly Place[]): string {
  return places.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`])).join("|");
}

function bashScript(places: readonly Place[], valued: readonly Valued[]): string {
  const rows = places.map(({ path, commands, flags, choices }) => {
    const words = [namesOf(commands), ...choices].join(" ").trim();
    return `    "${path}") words="${words}"; flags="${namesOf(flags)}" ;;`;
  });
  return `# Completion of parley for bash: source <(parley completion bash)
_parley() {
  local word at="" words="" flags="" i
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  case "$prev" in
${valued.map((one) => `    ${one.flag}) ${bashValue(one)}; return ;;`).join("\n")}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
${scan(places, valued, rows)}
  [[ "$cur" == -* ]] && words="$flags"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _parley parley`;
}

/** What bash and zsh share: finds the command before the cursor in `at`, and takes its row. */
function scan(
  places: readonly Place[],
  valued: readonly Valued[],
  rows: readonly string[],
): string {
  return `    case "$word" in
      ${valued.map(({ flag }) => flag).join("|")}) ((i++)); continue ;;
      -*) continue ;;
    esac
    case "\${at:+$at }$word" in
      ${pathPattern(places)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at" in
${rows.join("\n")}
  esac`;
}

function bashValue({ choices, isFile }: Valued): string {
  if (isFile) return 'mapfile -t COMPREPLY < <(compgen -f -- "$cur")';
  return `mapfile -t COMPREPLY < <(compgen -W "${choices.join(" ")}" -- "$cur")`;
}

function zshScript(places: readonly Place[], valued: readonly Valued[]): string {
  const described = (list: readonly Named[]): string =>
    list.map(({ name, text }) => quoted(`${name.replaceAll(":", "\\:")}:${text}`)).join(" ");
  const rows = places.map(({ path, commands, flags, choices }) => {
    const words = [described(commands), ...choices.map(quoted)].join(" ").trim();
    return `    "${path}") names=(${words}); flags=(${described(flags)}) ;;`;
  });
  return `#compdef parley
# Completion of parley for zsh: source <(parley completion zsh)
_parley() {
  local -a names flags
  local word at="" i
  case "\${words[CURRENT - 1]}" in
${valued.map((one) => `    ${one.flag}) ${zshValue(one)}; return ;;`).join("\n")}
  esac
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
${scan(places, valued, rows)}
  if [[ "$PREFIX" == -* ]]; then
    _describe flag flags
  else
    _describe command names
  fi
}
compdef _parley parley`;
}

function zshValue({ choices, isFile }: Valued): string {
  if (isFile) return "_files";
  return choices.length === 0 ? "_message value" : `compadd -- ${choices.join(" ")}`;
}

function fishScript(places: readonly Place[], valued: readonly Valued[]): string {
  const values = new Map(valued.map((one) => [one.flag, one]));
  const rows = places.flatMap(({ path, commands, flags, choices }) => {
    const line = `complete -c parley -n "__parley_at '${path}'"`;
    return [
      ...commands.map(({ name, text }) => `${line} -a ${name} -d ${quoted(text)}`),
      ...choices.map((choice) => `${line} -a ${choice}`),
      ...flags.map(({ name, text }) => {
        const takes = fishValue(values.get(name));
        return `${line} -l ${name.replace(/^--/, "")}${takes} -d ${quoted(text)}`;
      }),
    ];
  });
  return `# Completion of parley for fish: parley completion fish | source
function __parley_at
  set -l at
  set -l isValue 0
  for word in (commandline -opc)[2..-1]
    if test $isValue = 1
      set isValue 0
      continue
    end
    switch $word
      case ${valued.map(({ flag }) => flag).join(" ")}
        set isValue 1
      case '-*'
        continue
      case '*'
        if contains -- (string join ' ' $at $word) ${places.flatMap(({ path }) => (path === "" ? [] : [`'${path}'`])).join(" ")}
          set at (string join ' ' $at $word)
        end
    end
  end
  test "$at" = "$argv[1]"
end
complete -c parley -f
${rows.join("\n")}`;
}

function fishValue(valued: Valued | undefined): string {
  if (valued === undefined) return "";
  if (valued.isFile) return " -r -F";
  return valued.choices.length === 0 ? " -x" : ` -x -a "${valued.choices.join(" ")}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
