// SdkTools: TypeDoc and openapi-typescript, which read the JavaScript interface of TypeScript 5 and
// so need a package of their own.

import { ensureNpmProgram } from "./npm-program.ts";
import { sayStep } from "./programs.ts";

/** Resolves with the `node_modules` of the programs. Throws ToolMissing with the remedy. */
export function ensureSdkTools(say: (line: string) => void = sayStep): Promise<string> {
  return ensureNpmProgram("sdk-tools", "TypeDoc and openapi-typescript", say);
}
