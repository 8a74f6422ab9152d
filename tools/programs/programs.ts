// Programs: where they are on PATH, and the one error for those that are not.

import { accessSync, constants } from "node:fs";

/** The message names every way out; whoever prints it needs no stack. */
export class ToolMissing extends Error {
  override readonly name = "ToolMissing";
}

/** The first executable of that name in the folders of `path` (as in PATH). */
export function whichOn(path: string, name: string): string | undefined {
  return path
    .split(":")
    .filter((folder) => folder !== "")
    .map((folder) => `${folder}/${name}`)
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not ours to run: both mean "look on".
  }
}
