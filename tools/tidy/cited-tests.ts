// Cited tests: the tests and rules that SECURITY.md names, against the files.
//
//   cited-tests.1. Every rule id on the page is one of docs/SPEC.md.
//   cited-tests.2. A link to a test has the name of the file as its text.
//   cited-tests.3. The ids behind such a link begin a title in that file.

import { rulesOf, SPEC, titlesOf } from "./spec-rules.ts";
import { lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const SECURITY = "SECURITY.md";

const RULE_ID = /\b[A-Z]{1,2}\d+\b/g;
/** A link to a test, and the ids up to the next link or the end of the cell. */
const CITED = /\[([^\]]+)\]\(([^)]+\.(?:test|contract|e2e|compose)\.ts)\)([^|[\n]*)/g;
const RANGE = /\b([A-Z]+)(\d+)(?:–| to )\1(\d+)\b/g;
const ID = /\b(?:[A-Z]{1,2}\d+|[a-z0-9-]+\.\d+)\b/g;

export function checkCitedTests(files: readonly SourceFile[]): Complaint[] {
  const page = files.find(({ path }) => path === SECURITY);
  const spec = files.find(({ path }) => path === SPEC);
  if (page === undefined || spec === undefined) {
    return [{ path: SECURITY, line: 1, what: `the page or ${SPEC} is missing` }];
  }
  const complain = (index: number, what: string): Complaint => ({
    path: SECURITY,
    line: lineAt(page.text, index),
    what,
  });
  const rules = new Set(rulesOf(spec));
  const ids = [...page.text.matchAll(RULE_ID)];
  return [
    ...ids
      .filter(([id]) => !rules.has(id))
      .map(({ index, 0: id }) => complain(index, `${id} is no rule of ${SPEC}`)),
    ...[...page.text.matchAll(CITED)].flatMap(({ index, 1: text, 2: path = "", 3: cited = "" }) => {
      const name = path.split("/").at(-1);
      const file = files.find((one) => one.path === path);
      const titled = new Set(
        file === undefined ? [] : titlesOf(file).flatMap((title) => title.ids),
      );
      return [
        ...(text === name ? [] : [complain(index, `the text of the link to ${path} is "${text}"`)]),
        ...(file === undefined ? [complain(index, `${path} is missing`)] : []),
        ...idsIn(cited)
          .filter((id) => !titled.has(id))
          .map((id) => complain(index, `${path} has no test ${id}`)),
      ];
    }),
  ];
}

/** The ids of a list such as "S2, X1–X5, CO1 to CO3". */
function idsIn(list: string): string[] {
  const single = list.replace(RANGE, (_, letters: string, first: string, last: string) =>
    Array.from(
      { length: Number(last) - Number(first) + 1 },
      (__, n) => `${letters}${Number(first) + n}`,
    ).join(", "),
  );
  return single.match(ID) ?? [];
}
