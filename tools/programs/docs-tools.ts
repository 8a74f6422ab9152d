// DocsTools: VitePress, which builds the documentation site (tools/docs-site).

import { ensureNpmProgram } from "./npm-program.ts";
import { sayStep } from "./programs.ts";

/** Resolves with its `node_modules`. Throws ToolMissing with the remedy. */
export function ensureDocsTools(say: (line: string) => void = sayStep): Promise<string> {
  return ensureNpmProgram("docs-tools", "VitePress", say);
}
