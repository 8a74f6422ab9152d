// Drawn tree: the folders that docs/architecture.md draws against the folders of the repository.
//
//   drawn-tree.1. The page draws every folder of the first two levels that holds text, and no
//        other.

import { lineAt } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

export const ARCHITECTURE = "docs/architecture.md";

const TREE = /^## The tree\n+```\n/m;
const FOLDER = /^( {2})?([a-z0-9-]+)\//;

export function checkDrawnTree(files: readonly SourceFile[]): Complaint[] {
  const text = files.find(({ path }) => path === ARCHITECTURE)?.text ?? "";
  const drawn = drawnFolders(text);
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const missing = [...folders].filter((folder) => !drawn.has(folder));
  const unknown = [...drawn].filter(([folder]) => !folders.has(folder));
  return [
    ...missing.map((folder) => ({
      path: ARCHITECTURE,
      line: lineAt(text, text.search(TREE)),
      what: `the tree lacks ${folder}/`,
    })),
    ...unknown.map(([folder, line]) => ({
      path: ARCHITECTURE,
      line,
      what: `the tree draws ${folder}/, which does not exist or holds no text`,
    })),
  ];
}

/** Each drawn folder with its line. */
function drawnFolders(text: string): Map<string, number> {
  const drawn = new Map<string, number>();
  const opening = TREE.exec(text);
  if (opening === null) return drawn;
  const begin = opening.index + opening[0].length;
  const first = lineAt(text, begin);
  let top = "";
  for (const [index, line] of text.slice(begin).split("\n").entries()) {
    if (line.startsWith("```")) break;
    const [, indent, name] = FOLDER.exec(line) ?? [];
    if (name === undefined) continue;
    if (indent === undefined) top = name;
    drawn.set(indent === undefined ? name : `${top}/${name}`, first + index);
  }
  return drawn;
}

/** `a/b/c/d.ts` is in `a` and `a/b`. Hidden folders do not count. */
function foldersOf(path: string): string[] {
  if (path.startsWith(".")) return [];
  const parts = path.split("/").slice(0, -1);
  return [1, 2].filter((n) => parts.length >= n).map((n) => parts.slice(0, n).join("/"));
}
