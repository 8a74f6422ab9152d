// Bans: words, places and sizes that the tree does not allow. Each ban names the alternative.
//
// The linter checks code; it cannot check these.

import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Ban {
  readonly pattern: RegExp;
  readonly where: (path: string) => boolean;
  readonly instead: string;
}

/** Lines of code without comments and imports. Above the first value a file gets a warning. */
const FILE_LINES_WARN = 350;
const FILE_LINES_MAX = 450;
/** These files contain the banned words as data. */
const OWN_WORDS = /^tools\/(?:tidy\/|test-run\/test\/)/;
const MAY_PRINT = /^(?:client\/cli|infra|examples|loadtest|tools|verify)\/|\/test\//;

const BANS: readonly Ban[] = [
  {
    pattern: /\b(?:describe|it|context)\.(?:only|skip)\b|\bx(?:it|describe)\(/g,
    where: isTest,
    instead: "run one file (docs/hacking.md); delete or repair a test that cannot pass",
  },
  {
    pattern: /\b(?:this|test|context)\.skip\(/g,
    where: (path) => isCode(path) && path !== "tools/test-run/skip.ts",
    instead: "skipTest or foundOrSkip of tools/test-run/skip.ts, which print the reason",
  },
  {
    pattern: /\bTODO\b(?!\(#\d+\))/g,
    where: isCode,
    instead: "TODO(#12): with the number of its issue, or do it now",
  },
  {
    pattern: /\b(?:FIXME|XXX|HACK)\b/g,
    where: isCode,
    instead: "TODO(#12): with the number of its issue, or repair it now",
  },
  {
    pattern: /\bconsole\.\w+\(/g,
    where: (path) => isCode(path) && !MAY_PRINT.test(path),
    instead: "the logger of shared/process/logger.ts, or a return value",
  },
  {
    // An absolute path below a home or a scratch folder that is not part of a URL.
    pattern: /(?<![\w./:*-])\/(?:home|root|Users|work|tmp)\/[\w.-]+/g,
    where: () => true,
    instead: "a path relative to the file (import.meta.url), to DATA, or os.tmpdir()",
  },
  {
    pattern: /^export \* from/gm,
    where: isCode,
    instead: "import from the file that has it; there are no barrel files",
  },
  {
    pattern: /\benum\s+\w+\s*\{|^\s*(?:export\s+)?namespace\s+\w+/gm,
    where: isCode,
    instead: "an `as const` object, or a union of strings; a module is the namespace",
  },
];

/** Not the method of another object, such as a simulated process. */
const EXIT = /(?<![.#\w])process\.exit\(/;
const COMMENT = /(?:^|\s)\/\/ |\*\/$/;

const VAGUE_NAMES = /(?:^|\/)(?:utils?|helpers?|common|types|misc|manager|service|index)\.tsx?$/;

export function checkBans(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => !OWN_WORDS.test(path))
    .flatMap((file) => [
      ...bannedWords(file),
      ...exitsOf(file),
      ...sizeOf(file),
      ...nameOf(file),
      ...headOf(file),
    ]);
}

function bannedWords({ path, text }: SourceFile): Complaint[] {
  return BANS.filter((ban) => ban.where(path)).flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map((match) => ({
      path,
      line: lineAt(text, match.index),
      what: `"${match[0].trim()}": ${instead}`,
    })),
  );
}

/** An exit skips what still runs, so its place says why the process does not end without it. */
function exitsOf({ path, text }: SourceFile): Complaint[] {
  if (isTest(path) || !(isCode(path) || path.endsWith(".js"))) return [];
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const isExplained = [lines[index - 1] ?? "", line].some((near) => COMMENT.test(near));
    if (!EXIT.test(line) || isExplained) return [];
    const what = "process.exit: say on this line, or above it, why the process needs the exit";
    return [{ path, line: index + 1, what }];
  });
}

function sizeOf({ path, text }: SourceFile): Complaint[] {
  if (!isCode(path)) return [];
  const lines = countedLines(text);
  if (lines <= FILE_LINES_MAX) return [];
  const what = `${lines} lines of code; split by responsibility, at most ${FILE_LINES_MAX}`;
  return [{ path, line: FILE_LINES_MAX, what }];
}

/** Files above FILE_LINES_WARN. */
export function longFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => isCode(path) && countedLines(text) > FILE_LINES_WARN)
    .map(({ path, text }) => `${path}: ${countedLines(text)} lines of code`);
}

/** Counts lines that are neither comments nor part of an import. */
function countedLines(text: string): number {
  const code = text
    .replaceAll(/^import\s[^;]*;\n/gm, "")
    .replaceAll(/^[ \t]*\/\*[\s\S]*?\*\/[ \t]*\n/gm, "")
    .replaceAll(/^[ \t]*\/\/.*\n/gm, "");
  return code.split("\n").length - 1;
}

function nameOf({ path }: SourceFile): Complaint[] {
  if (!VAGUE_NAMES.test(path)) return [];
  return [{ path, line: 1, what: "name a file after its one subject" }];
}

function headOf({ path, text }: SourceFile): Complaint[] {
  const needsHead = isCode(path) && !isTest(path);
  if (!needsHead || text.startsWith("//") || text.startsWith("#!")) return [];
  return [
    { path, line: 1, what: "begin with a comment: what the file is, what it owns, its invariants" },
  ];
}
