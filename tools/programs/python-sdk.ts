// PythonSdk: the packages that the Python SDK needs, and those that check and build it.

import { ensureVenv } from "./python-venv.ts";

/** Resolves with the folder of `python` and `mypy`. Throws ToolMissing with the remedy. */
export function ensurePythonSdk(): Promise<string> {
  return ensureVenv("python-sdk", "the packages of the Python SDK");
}
