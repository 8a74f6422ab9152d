// DocsTools: VitePress, which builds the documentation site (tools/docs-site).

import { ensureNpmProgram } from "./npm-program.ts";

/** Resolves with its `node_modules`. Throws ToolMissing with the remedy. */
export function ensureDocsTools(say: (line: string) => void = console.log): Promise<string> {
  return ensureNpmProgram("docs-tools", "VitePress", say);
}
