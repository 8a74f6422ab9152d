// Degradation: the tests that docs/operating/degradation.md names, against the files.
//
//   degradation.1. Every row of the first table has a test, and every test belongs to a row.
//   degradation.2. Every named title is the title of a test in the named file.

import { posix } from "node:path";
import { lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const DEGRADATION = "docs/operating/degradation.md";

/** A row of five columns describes a part; a row of three, with a link, names a test. */
const PART = /^\| ([^|]+) \|(?:[^|\n]+\|){4}$/gm;
const TEST = /^\| ([^|]+) \| \[[^\]]+\]\(([^)]+)\) \| (.+) \|$/gm;
const HEADER = "away";

export function checkDegradation(files: readonly SourceFile[]): Complaint[] {
  const page = files.find(({ path }) => path === DEGRADATION);
  if (page === undefined) return [{ path: DEGRADATION, line: 1, what: "the page is missing" }];
  const complain = (index: number, what: string): Complaint => ({
    path: DEGRADATION,
    line: lineAt(page.text, index),
    what,
  });
  const parts = [...page.text.matchAll(PART)].filter(([, part]) => part !== HEADER);
  const tests = [...page.text.matchAll(TEST)];
  const tested = new Set(tests.map(([, part]) => part));
  const named = new Set(parts.map(([, part]) => part));
  return [
    ...(parts.length === 0 ? [complain(0, "the table of parts is missing")] : []),
    ...parts
      .filter(([, part]) => !tested.has(part))
      .map(({ index, 1: part }) => complain(index, `${part} has no test`)),
    ...tests.flatMap(({ index, 1: part, 2: link = "", 3: title = "" }) => {
      const path = posix.join(posix.dirname(DEGRADATION), link);
      const text = files.find((file) => file.path === path)?.text ?? "";
      const has = [`"`, "'", "`"].some((quote) => text.includes(`it(${quote}${title}${quote},`));
      return [
        ...(named.has(part) ? [] : [complain(index, `${part} has no row in the first table`)]),
        ...(has ? [] : [complain(index, `${path} has no test "${title}"`)]),
      ];
    }),
  ];
}
