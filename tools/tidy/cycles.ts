// Cycles: files that import each other, directly or through other files.
//
// A type import counts like any other: a reader who follows a cycle finds no file to begin with.
//
//   cycles.1. No chain of imports leads from a file back to that file.

import { importsOf } from "./imports.ts";
import { isCode } from "./tree.ts";
import type { Complaint, SourceFile } from "./tree.ts";

interface Edge {
  readonly to: string;
  readonly line: number;
}

/** One complaint for each import that closes a cycle. It names the whole cycle. */
export function checkCycles(files: readonly SourceFile[]): Complaint[] {
  const code = new Set(files.map(({ path }) => path).filter(isCode));
  const edges = new Map<string, Edge[]>();
  for (const { path, text } of files) {
    if (!code.has(path)) continue;
    const own = importsOf(path, text).filter(({ target, isOwn }) => isOwn && code.has(target));
    edges.set(
      path,
      own.map(({ target, line }) => ({ to: target, line })),
    );
  }
  return new Search(edges).complaints();
}

/** A depth-first search. An import of a file that is on the current chain closes a cycle. */
class Search {
  readonly #edges: ReadonlyMap<string, readonly Edge[]>;
  readonly #finished = new Set<string>();
  readonly #chain: string[] = [];
  readonly #found: Complaint[] = [];

  constructor(edges: ReadonlyMap<string, readonly Edge[]>) {
    this.#edges = edges;
  }

  complaints(): Complaint[] {
    for (const path of this.#edges.keys()) this.#visit(path);
    return this.#found;
  }

  #visit(path: string): void {
    if (this.#finished.has(path)) return;
    this.#chain.push(path);
    for (const { to, line } of this.#edges.get(path) ?? []) {
      const start = this.#chain.indexOf(to);
      if (start < 0) this.#visit(to);
      else this.#complain(path, line, this.#chain.slice(start));
    }
    this.#chain.pop();
    this.#finished.add(path);
  }

  #complain(path: string, line: number, cycle: readonly string[]): void {
    const what = `import cycle: ${[...cycle, cycle[0]].join(" → ")}; move what both need to a third file`;
    this.#found.push({ path, line, what });
  }
}
