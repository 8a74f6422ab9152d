// Spec rules: docs/SPEC.md against the titles of tests, both ways.
//
//   SR1. Every rule of the specification is proved by at least one test whose title begins with it.
//   SR2. Every title begins with an id that exists: a rule of the specification, or an invariant that
//        stands in the opening comment of a source file.

import { isCode, isTest, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const SPEC = "docs/SPEC.md";

const RULE = /^- \*\*([A-Z]+\d+)\*\*/gm;
const INVARIANT = /^\/\/ {2,}([A-Z]+\d+)\. /gm;
/** `it("O7: …"`, also with the title on the next line, and "K1, K2: …" for two at once. */
const TITLE = /^\s*it\(\s*(["'`])((?:(?!\1).)*)/gms;
const IDS = /^((?:[A-Z]+\d+)(?:(?:, | and )[A-Z]+\d+)*): /;

interface Title {
  readonly path: string;
  readonly line: number;
  readonly text: string;
  readonly ids: readonly string[];
}

export function checkSpecRules(files: readonly SourceFile[]): Complaint[] {
  const spec = files.find(({ path }) => path === SPEC);
  if (spec === undefined) return [{ path: SPEC, line: 1, what: "the specification is missing" }];
  const rules = [...spec.text.matchAll(RULE)].map((match) => ({
    id: match[1] ?? "",
    line: lineAt(spec.text, match.index),
  }));
  const titles = files.filter(({ path }) => isCode(path) && isTest(path)).flatMap(titlesOf);
  const proved = new Set(titles.flatMap(({ ids }) => ids));
  const known = new Set([...rules.map(({ id }) => id), ...invariantsOf(files)]);
  return [
    ...repeated(rules),
    ...rules
      .filter(({ id }) => !proved.has(id))
      .map(({ id, line }) => ({ path: SPEC, line, what: `no test's title begins with ${id}` })),
    ...titles.flatMap((title) => complaintsAbout(title, known)),
  ];
}

function complaintsAbout({ path, line, text, ids }: Title, known: Set<string>): Complaint[] {
  if (ids.length === 0) {
    return [{ path, line, what: `"${text}" begins with no id of the rule that it proves` }];
  }
  return ids
    .filter((id) => !known.has(id))
    .map((id) => ({ path, line, what: `${id} is no rule of ${SPEC} and no stated invariant` }));
}

function titlesOf({ path, text }: SourceFile): Title[] {
  return [...text.matchAll(TITLE)].map((match) => ({
    path,
    line: lineAt(text, match.index),
    text: match[2] ?? "",
    ids: IDS.exec(match[2] ?? "")?.[1]?.split(/, | and /) ?? [],
  }));
}

function invariantsOf(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ text }) => [...text.matchAll(INVARIANT)].map((match) => match[1] ?? ""));
}

function repeated(rules: readonly { readonly id: string; readonly line: number }[]): Complaint[] {
  return rules
    .filter(({ id }, index) => rules.findIndex((other) => other.id === id) !== index)
    .map(({ id, line }) => ({ path: SPEC, line, what: `${id} stands here twice` }));
}
