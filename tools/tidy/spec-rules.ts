// Spec rules: docs/SPEC.md and the invariants in files against each other and against test titles.
//
//   spec-rules.1. Bare ids (`O4`) belong to the specification alone. Under each letter they ascend
//                 from 1 without a gap, in the order of the page.
//   spec-rules.2. A file's invariants are named after the file (`lane.4`, or `sdk/room.4` where two
//                 files have one name) and ascend from 1 without a gap.
//   spec-rules.3. At least one test's title begins with each rule of the specification.
//   spec-rules.4. A title that begins with an id begins with one that exists.

import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const SPEC = "docs/SPEC.md";

const RULE = /^- \*\*([A-Z]+)(\d+)\*\*/gm;
const INVARIANT = /^\/\/ {2,}((?:[a-z0-9-]+\/)?[a-z0-9-]+)\.(\d+)\. /gm;
/** An invariant under a bare id, which only the specification may own. */
const BORROWED = /^\/\/ {2,}([A-Z]+\d+)\. /gm;
/** `it("O7: …"`, also with the title on the next line, and "K1, lane.2: …" for two at once. */
const TITLE = /^\s*it\(\s*(["'`])((?:(?!\1).)*)/gms;
const ID = "(?:[A-Z]+\\d+|(?:[a-z0-9-]+/)?[a-z0-9-]+\\.\\d+)";
const IDS = new RegExp(`^(${ID}(?:(?:, | and )${ID})*): `);

interface Title {
  readonly path: string;
  readonly line: number;
  readonly ids: readonly string[];
}

interface Statement {
  readonly path: string;
  readonly line: number;
  /** A letter of the specification, or the name of a file. */
  readonly group: string;
  readonly number: number;
  readonly id: string;
}

export function checkSpecRules(files: readonly SourceFile[]): Complaint[] {
  const spec = files.find(({ path }) => path === SPEC);
  if (spec === undefined) return [{ path: SPEC, line: 1, what: "the specification is missing" }];
  const rules = statementsIn(spec, RULE, "");
  const code = files.filter(({ path }) => isCode(path));
  const invariants = code.flatMap((file) => statementsIn(file, INVARIANT, "."));
  const titles = code.filter(({ path }) => isTest(path)).flatMap(titlesOf);
  const tested = new Set(titles.flatMap(({ ids }) => ids));
  const known = new Set([...rules, ...invariants].map(({ id }) => id));
  return [
    ...outOfOrder(rules),
    ...outOfOrder(invariants),
    ...invariants.flatMap(misnamed),
    ...code.flatMap(borrowed),
    ...rules
      .filter(({ id }) => !tested.has(id))
      .map(({ id, line }) => ({ path: SPEC, line, what: `no test's title begins with ${id}` })),
    ...titles.flatMap(({ path, line, ids }) =>
      ids
        .filter((id) => !known.has(id))
        .map((id) => ({ path, line, what: `${id} is no rule of ${SPEC} and no file's invariant` })),
    ),
  ];
}

/** The ids of the rules of the specification. */
export function rulesOf(spec: SourceFile): string[] {
  return statementsIn(spec, RULE, "").map(({ id }) => id);
}

function statementsIn({ path, text }: SourceFile, pattern: RegExp, joint: string): Statement[] {
  return [...text.matchAll(pattern)].map((match) => {
    const [, group = "", number = ""] = match;
    const id = `${group}${joint}${number}`;
    return { path, line: lineAt(text, match.index), group, number: Number(number), id };
  });
}

/**
 * Each group counts 1, 2, 3, … in the order in which its statements stand; so none stands twice.
 */
function outOfOrder(statements: readonly Statement[]): Complaint[] {
  const last = new Map<string, number>();
  return statements.flatMap(({ path, line, group, number, id }) => {
    const expected = (last.get(group) ?? 0) + 1;
    last.set(group, number);
    if (number === expected) return [];
    return [{ path, line, what: `${id} stands where number ${expected} of ${group} is expected` }];
  });
}

function misnamed({ path, line, group, id }: Statement): Complaint[] {
  const [folder, name] = group.includes("/") ? group.split("/") : [undefined, group];
  const folders = path.split("/").slice(0, -1);
  const isOwn = nameOf(path) === name && (folder === undefined || folders.includes(folder));
  return isOwn ? [] : [{ path, line, what: `${id} is not named after its file` }];
}

function nameOf(path: string): string {
  return path.split("/").at(-1)?.split(".")[0] ?? "";
}

function borrowed({ path, text }: SourceFile): Complaint[] {
  return [...text.matchAll(BORROWED)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    what: `${match[1]} belongs to ${SPEC}; a file's invariants are named after the file`,
  }));
}

/** The titles of a test file, with the ids with which they begin. */
export function titlesOf({ path, text }: SourceFile): Title[] {
  return [...text.matchAll(TITLE)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    ids: IDS.exec(match[2] ?? "")?.[1]?.split(/, | and /) ?? [],
  }));
}
