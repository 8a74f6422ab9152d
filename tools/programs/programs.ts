// Programs: finds programs on PATH, the error for missing ones, and the lines of their builds.

import { accessSync, constants } from "node:fs";

/** The message lists all options; print it without a stack trace. */
export class ToolMissing extends Error {
  override readonly name = "ToolMissing";
}

/** Prints a step of a download or a build, which can take minutes: a silent one appears to hang. */
export function sayStep(line: string): void {
  console.log(line);
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
