// Tree: the files of this repository as text, for the rules that read them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface SourceFile {
  /** From the repository's root, with "/". */
  readonly path: string;
  readonly text: string;
}

/** One broken rule: where, and what to do instead. */
export interface Complaint {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

const SKIPPED = new Set(["node_modules", "dist", ".git", ".parley", ".tools", "package-lock.json"]);
/** No rule can change what a generator writes. */
const GENERATED = /\.generated\.ts$/;
const TEXT = /(?:\.(?:ts|tsx|js|py|json|md|sql|css|html|mod|yaml|yml|conf|sh)|\/Makefile|\/run)$/;

export function readTree(root: string): SourceFile[] {
  return pathsBelow(root, "").map((path) => ({
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));
}

function pathsBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return pathsBelow(root, path);
    return TEXT.test(`/${path}`) && !GENERATED.test(path) ? [path] : [];
  });
}

export function isCode(path: string): boolean {
  return /\.tsx?$/.test(path);
}

export function isTest(path: string): boolean {
  return path.includes("/test/") || path.startsWith("verify/e2e/") || path.endsWith(".contract.ts");
}

/** The line number of an offset, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
