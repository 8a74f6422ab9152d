// Pages: the reference of the SDK in docs/sdk, generated from its docstrings.
//
// Owns: the call of TypeDoc. Does not own: the texts; they stand in client/sdk.
//
//   pages.1. The same source gives the same bytes: no date, no commit and no path of a machine.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureSdkTools } from "../programs/sdk-tools.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Writes the pages into `folder`, which it empties before. */
export async function writePages(folder: string): Promise<void> {
  const modules = await ensureSdkTools();
  const options = join(ROOT, "tools/sdk/typedoc.json");
  const plugin = join(modules, "typedoc-plugin-markdown/dist/index.js");
  const typedoc = join(modules, "typedoc/bin/typedoc");
  const args = [typedoc, "--options", options, "--plugin", plugin, "--out", folder];
  await run(process.execPath, args, { cwd: ROOT });
}
