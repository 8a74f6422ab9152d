// HttpApi: the TypeScript types of the HTTP API, generated from its OpenAPI document.
//
// Owns: the call of openapi-typescript. Does not own: the document, which a gateway serves.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureSdkTools } from "../programs/sdk-tools.ts";

const run = promisify(execFile);
const HEAD = `// HttpApi: the HTTP API of a gateway as types. Generated from /openapi.json; \`make sdk-files\` writes
// it again.
`;

export async function httpApiOf(openApi: string): Promise<string> {
  const modules = await ensureSdkTools();
  const folder = await mkdtemp(join(tmpdir(), "parley-http-api-"));
  const [input, output] = [join(folder, "openapi.json"), join(folder, "api.ts")];
  try {
    await writeFile(input, openApi);
    const cli = join(modules, "openapi-typescript/bin/cli.js");
    await run(process.execPath, [
      cli,
      input,
      "--output",
      output,
      "--immutable",
      "--empty-objects-unknown",
    ]);
    const text = await readFile(output, "utf8");
    // openapi-fetch maps a readonly array to an object that has no elements for TypeScript.
    // The head of the library says the same, wider than this tree allows; its tags repeat types.
    const body = text.replace(/^\/\*\*[^]*?\*\/\n/, "");
    return (
      HEAD +
      body
        .replaceAll(": readonly ", ": ")
        .replaceAll(/@description /g, "")
        .replaceAll(/ *\/\*\* @constant \*\/\n/g, "")
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
