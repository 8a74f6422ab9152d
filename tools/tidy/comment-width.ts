// Comment width: comments keep to the width of code, which the formatter does not check.
//
//   comment-width.1. A line that ends with a comment has at most COLUMNS characters.

import { isCode, lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

const COLUMNS = 100;
/** A line comment, also behind code, or a line of a block comment. */
const COMMENT = /^(?:[ \t]*(?:\/\/|\/\*|\*(?:[ /]|$)).*|.*[;,{})\]] \/\/ .*)$/gm;

export function checkCommentWidth(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => isCode(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(COMMENT)]
        .filter(([line]) => line.length > COLUMNS)
        .map((match) => ({
          path,
          line: lineAt(text, match.index),
          what: `a comment line of ${match[0].length} columns; at most ${COLUMNS}`,
        })),
    );
}
