// Programs: finds programs on PATH, and the error for missing ones.

import { accessSync, constants } from "node:fs";

/** The message lists all options; print it without a stack trace. */
export class ToolMissing extends Error {
  override readonly name = "ToolMissing";
}

/** Returns the first executable with that name in the folders of `path` (as in PATH). */
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
