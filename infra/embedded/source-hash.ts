// Source hash: whether what was built from sources is older than they are.
//
// A hash over the paths and contents of the sources detects a change; the builder stores it beside
// the result. Time stamps do not work: a checkout of another branch may set files to older times.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { REPOSITORY } from "./service-process.ts";

/** The name of the file that holds the hash. */
export const BUILT_FROM = ".built-from";
const SKIPPED = new Set(["dist", "test", "testing", "node_modules"]);
/** The versions of all packages. */
const SINGLE_FILES = ["package-lock.json"];

/** The hash of all files below `folders` of the repository, without tests and builds. */
export function hashSources(folders: readonly string[]): string {
  const hash = createHash("sha256");
  const files = [
    ...folders.flatMap((folder) => filesBelow(join(REPOSITORY, folder))),
    ...SINGLE_FILES.map((file) => join(REPOSITORY, file)),
  ];
  for (const file of files.sort()) {
    hash
      .update(`${relative(REPOSITORY, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
